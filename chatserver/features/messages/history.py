"""History: pages of older messages, and the newest messages, as JSON."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Message, Page
from chatserver.core.numbers import ID_MAX
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store
from chatserver.features.messages.chunked_pages import ChunkedPages
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.recent import API_PAGE, RecentMessages
from chatserver.features.messages.search import QUERY_MAX, Query, Search
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.query import number
from chatserver.http.route import Route
from chatserver.http.site import SITE

OLDER_MAX = 100
# Messages in one response, if they fit into ANSWER_BYTES_MAX. Older messages are read page by page.
ANSWER_MAX = 1_000
# Searches that run at once, in total and from one address. Each search reads all kept messages.
SEARCHES_MAX, SEARCHES_OF_ADDRESS_MAX = 16, 4
RETRY_MS = 1_000
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class History:
    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        encoder: MessageEncoder,
        recent: RecentMessages,
        search: Search,
    ) -> None:
        self._database = database
        self._settings = settings
        self._recent = recent
        self._search = search
        self._searches: Counter[str] = Counter()
        self._answers = ChunkedPages(encoder, self.newest)

    async def older(self, before: int, limit: int) -> Page:
        """The `limit` messages just before id `before`, oldest first, without deleted ones."""
        return await self._database.run(lambda tx: page_of(tx, store.before(tx, before, limit)))

    async def newest(self, count: int) -> Page:
        """The newest `count` messages that are kept, oldest first, without deleted ones."""
        count = min(count, self._settings.now.history_limit)
        return await self._database.run(lambda tx: page_of(tx, store.newest(tx, count)))

    async def get_recent(self, request: web.Request) -> web.StreamResponse:
        return await self._newest_answer(API_PAGE)

    async def get_count(self, request: web.Request) -> web.StreamResponse:
        """The newest `<count>`, at most as many as are kept, and at most ANSWER_MAX."""
        count = int(request.match_info["count"][:9])
        return await self._newest_answer(min(count, self._settings.now.history_limit, ANSWER_MAX))

    async def get_messages(self, request: web.Request) -> web.StreamResponse:
        """`?before=ID&limit=N`: the page just before ID.

        `?q=TEXT`, `by=NAME`, `day=YYYY-MM-DD`, alone or together: the newest messages that match all of them, below
        ID if given. `?first=DAY`: only the first message of that day.
        """
        before = number(request, "before", 1, ID_MAX, ID_MAX)
        limit = number(request, "limit", 1, OLDER_MAX, API_PAGE)
        if request.query.keys().isdisjoint(("q", "by", "day", "first")):
            return await self._page_answer(await self.older(before, limit))
        query = self._query(request)
        with self._searching(request.app[SITE].origin.address(request)):
            if "first" in request.query:
                return await self._page_answer(await self._search.first_of(query))
            return await self._page_answer(await self._search.search(query, before, limit))

    def _query(self, request: web.Request) -> Query:
        """Read the parameters of a search. Raises DomainError: `too_long`, `bad_request` (`field`)."""
        text, author = request.query.get("q", ""), request.query.get("by", "")
        if len(text) > QUERY_MAX or len(author) > QUERY_MAX:
            raise DomainError(ErrorCode.TOO_LONG, limit=QUERY_MAX)
        day = _day(request, "first") if "first" in request.query else _day(request, "day")
        return Query.of(text, author, day, self._settings.now.timezone)

    @contextmanager
    def _searching(self, address: str) -> Iterator[None]:
        """Count a search while it runs. Raises DomainError `busy` if too many searches run already."""
        searches = self._searches
        if searches.total() >= SEARCHES_MAX or searches[address] >= SEARCHES_OF_ADDRESS_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_MS)
        searches[address] += 1
        try:
            yield
        finally:
            searches[address] -= 1
            if not searches[address]:
                del searches[address]

    async def _newest_answer(self, count: int) -> web.StreamResponse:
        if not self._recent.holds(count):
            return responses.prebuilt_json(await self._answers.newest(count))
        return responses.prebuilt_json(self._recent.answer(count))

    async def _page_answer(self, page: Page) -> web.StreamResponse:
        return responses.prebuilt_json(await self._answers.page(page))

    ROUTES = (
        Route("GET", "/api/recent_messages/", get_recent, Access.READER),
        Route("GET", r"/api/recent_messages_apiint/{count:\d+}", get_count, Access.READER),
        Route("GET", "/api/messages/", get_messages, Access.READER),
    )


def _day(request: web.Request, name: str) -> date | None:
    """The parameter as a day in the years 1971 to 9998. Raises DomainError `bad_request` (`field`)."""
    typed = request.query.get(name)
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed) if _DAY.fullmatch(typed) else None
    except ValueError:
        day = None
    if day is None or not 1970 < day.year < 9999:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return day


def page_of(tx: Transaction, messages: list[Message]) -> Page:
    """A page of these messages, with the sequence numbers as of now."""
    now = sequence.read(tx)
    return Page(tuple(messages), now.seq, now.first_id, now.epoch)
