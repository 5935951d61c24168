"""Searches members by a part of the name, for mentions (the text after an @) and for the search, online or not.

Matches as static/js/models/mention.js does for online members: by folded text (core/folding.py), and for each Chinese
character also by the first letter of its pinyin.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache, lru_cache
from pathlib import Path

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.folding import fold
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.accounts.names import NAME_MAX
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.viewer import member_of

NAMES_MAX = 8
# The number of matches that are looked up; more than NAMES_MAX, because some members may be banned.
_CANDIDATES_MAX = 64
# The rate limit of a member. A page sends one request for each pause in typing.
BURST, PER_SECOND = 20, 4
_FIRST_HAN = 0x4E00


class NameSearch:
    """Keeps the names of all members in memory, and the result of `_folded` for each: some 400 bytes per member."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._limit = RateLimit(clock)
        self._name_of: dict[int, str] = {}
        self._last_id = 0

    async def find(self, query: str) -> list[str]:
        """Find at most NAMES_MAX names of members who are not banned.

        Names that begin with `query` come first, then names that contain it; older members come first. The list is
        empty if the query is empty or longer than a name.
        """
        ids = (await self.matches(query))[:_CANDIDATES_MAX]
        return await self._database.run(lambda tx: _names(tx, ids)) if ids else []

    async def matches(self, query: str) -> list[int]:
        """The ids of all members whose name begins with `query`, then of those whose name contains it."""
        wanted = fold(query)
        if not wanted or len(query) > NAME_MAX:
            return []
        await self._load()
        return await asyncio.to_thread(_matches, wanted, self._name_of.copy())

    async def get(self, request: web.Request) -> web.Response:
        """`?q=` part of a name; answers `{"names": […]}`. Raises DomainError `too_fast`."""
        wait_ms = self._limit.take(str(member_of(request).id), BURST, PER_SECOND)
        if wait_ms:
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        return responses.as_json({"names": await self.find(request.query.get("q", ""))})

    def on_member_changed(self, event: MemberChanged) -> None:
        self._name_of[event.user.id] = event.user.name

    async def _load(self) -> None:
        """Read the members who are not known yet. A name from an event that arrived meanwhile is newer, and is kept."""
        last_id = self._last_id
        for member_id, name in await self._database.run(lambda tx: _members_after(tx, last_id)):
            self._name_of.setdefault(member_id, name)
            self._last_id = max(self._last_id, member_id)

    ROUTES = (Route("GET", "/api/names/", get, Access.MEMBER),)
    LISTENERS = ((MemberChanged, on_member_changed),)


def initials(folded: str) -> str:
    """The first letter of the pinyin of each common Chinese character; any other character itself."""
    letters = _letters()
    return "".join(
        letters[ord(c) - _FIRST_HAN] if _FIRST_HAN <= ord(c) < _FIRST_HAN + len(letters) else c for c in folded
    )


@cache
def _letters() -> str:
    """A letter for each character from U+4E00 to U+9FFF, by the pinyin collation of CLDR, which browsers use too."""
    return Path(__file__).with_name("pinyin_initials.txt").read_text("ascii").replace("\n", "")


def holds(query: str, name: str) -> bool:
    """True if a search for `query` finds `name`."""
    wanted = fold(query)
    return 0 < len(wanted) and len(query) <= NAME_MAX and _place(wanted, *_folded(name)) >= 0


@lru_cache(maxsize=100_000)
def _folded(name: str) -> tuple[str, str]:
    folded = fold(name)
    return folded, initials(folded)


def _matches(wanted: str, name_of: dict[int, str]) -> list[int]:
    """The ids of the matches, best first."""
    places = ((_place(wanted, *_folded(name)), member_id) for member_id, name in name_of.items())
    found = [(place > 0, member_id) for place, member_id in places if place >= 0]
    return [member_id for _, member_id in sorted(found)]


def _place(wanted: str, folded: str, letters: str) -> int:
    """The index in the name from which each character of `wanted` equals a character or its initial; -1 for none."""
    if wanted[0] not in folded and wanted[0] not in letters:
        return -1
    for at in range(len(folded) - len(wanted) + 1):
        if all(c in (folded[at + i], letters[at + i]) for i, c in enumerate(wanted)):
            return at
    return -1


def _members_after(tx: Transaction, last_id: int) -> list[tuple[int, str]]:
    return tx.all("SELECT id, name FROM users WHERE id > ?", (last_id,))


def _names(tx: Transaction, ids: list[int]) -> list[str]:
    rows = tx.all(
        "SELECT u.name FROM json_each(?) j JOIN users u ON u.id = j.value WHERE u.banned = 0 ORDER BY j.key LIMIT ?",
        (json.dumps(ids), NAMES_MAX),
    )
    return [row[0] for row in rows]
