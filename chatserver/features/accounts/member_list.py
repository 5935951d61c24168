"""The list of all members, with the date when each joined, and a search. Only for members."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.core.numbers import ID_MAX
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import rename_store
from chatserver.features.accounts.name_search import BURST, PER_SECOND, NameSearch, holds
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.page_context import local_time
from chatserver.http.query import number
from chatserver.http.route import Route
from chatserver.http.viewer import member_of

PAGE_MEMBERS = 50

# Administrators first, bots last, each in the order in which they joined.
_RANK = "(u.role <> 'administrator') + (u.role = 'bot')"
# Without banned members and removed bots.
_LISTED = (
    f"SELECT u.id, u.name, u.role, u.avatar, u.created_ms, coalesce(r.old_name, '')"  # nosec B608 # constants
    f" FROM users u LEFT JOIN renames r ON r.user_id = u.id"
    f" WHERE u.banned = 0 AND (u.role <> 'bot' OR EXISTS (SELECT 1 FROM bots b WHERE b.user_id = u.id))"
    f" AND (:after = 0 OR ({_RANK}, u.id) > (SELECT {_RANK}, u.id FROM users u WHERE u.id = :after))"
    f" AND (:ids IS NULL OR u.id IN (SELECT value FROM json_each(:ids)))"
    f" ORDER BY {_RANK}, u.id LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class ListedMember:
    """`old_name` is the name that the member gave up less than 24 hours ago, or ""."""

    user: User
    created_ms: int
    old_name: str


class MemberList:
    def __init__(self, database: Database, clock: Clock, name_search: NameSearch) -> None:
        self._database = database
        self._name_search = name_search
        self._limit = RateLimit(clock)

    async def find(self, part: str, after: int, limit: int = PAGE_MEMBERS) -> tuple[list[ListedMember], int | None]:
        """The next `limit` members after the member with the id `after` (0: from the start), and the next `after`.

        With `part`, only members whose name or old name contains it, as NameSearch matches. Never a banned member.
        """
        ids = await self._name_search.matches(part) if part else None
        found = await self._database.run(lambda tx: _listed(tx, part, ids, after, limit + 1))
        page = found[:limit]
        return page, page[-1].user.id if len(found) > limit else None

    async def get(self, request: web.Request) -> web.Response:
        """`?q=` part of a name, `?after=` the last `next`. Answers `{"members": […], "next": an id or null}`.

        Raises DomainError `too_fast`.
        """
        _, found, next_after = await self._asked(request)
        return responses.as_json({"members": [_json(member) for member in found], "next": next_after})

    async def get_page(self, request: web.Request) -> web.Response:
        """The same list as a page, for browsers without scripts."""
        part, found, next_after = await self._asked(request)
        values = {
            "rows": [{**_json(each), "created": local_time(request, each.created_ms)} for each in found],
            "q": part,
            "more": urlencode({"q": part, "after": next_after}) if next_after else "",
        }
        return responses.page(request, "people.html", values)

    async def _asked(self, request: web.Request) -> tuple[str, list[ListedMember], int | None]:
        wait_ms = self._limit.take(str(member_of(request).id), BURST, PER_SECOND)
        if wait_ms:
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        part, after = request.query.get("q", "").strip(), number(request, "after", 0, ID_MAX, 0)
        return part, *await self.find(part, after)

    ROUTES = (
        Route("GET", "/api/members/", get, Access.MEMBER),
        Route("GET", "/people/", get_page, Access.MEMBER),
    )


def _listed(tx: Transaction, part: str, ids: list[int] | None, after: int, limit: int) -> list[ListedMember]:
    """`ids` are the members whose name contains `part`; None for all members."""
    if ids is not None:
        ids = ids + [user_id for user_id, old_name in rename_store.old_names(tx) if holds(part, old_name)]
    values = {"ids": None if ids is None else json.dumps(ids), "after": after, "limit": limit}
    rows = tx.all(_LISTED, values)
    return [ListedMember(User(row[0], row[1], Role(row[2]), row[3]), row[4], row[5]) for row in rows]


def _json(member: ListedMember) -> dict[str, Any]:
    return {**user_json(member.user), "created_ms": member.created_ms, "old_name": member.old_name}
