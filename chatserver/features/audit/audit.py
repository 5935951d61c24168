"""The page of the audit log. No user of the room can change entries; they are erased after KEPT_DAYS."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.core.numbers import ID_MAX, whole_number
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit import store
from chatserver.features.audit.record import AuditAct
from chatserver.features.audit.sentence import sentence
from chatserver.features.audit.store import Actor, Entry, Filter
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.query import number
from chatserver.http.route import Route
from chatserver.http.viewer import member_of, wants_json

KEPT_DAYS = 90
KEPT_MS = KEPT_DAYS * 86_400_000
PAGE_ENTRIES = 50

KINDS = tuple(dict.fromkeys(act.partition(".")[0] for act in AuditAct))


class Audit:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def entries(
        self, actor: User, wanted: Filter, before: int = ID_MAX, limit: int = PAGE_ENTRIES
    ) -> list[Entry]:
        """The newest `limit` entries with an id below `before`. Raises DomainError: `forbidden`, `banned`."""
        return await self._database.run(lambda tx: _entries(tx, actor, wanted, before, limit))

    async def erase_old(self) -> None:
        """Erase entries that are older than KEPT_DAYS."""
        before_ms = self._clock.now_ms() - KEPT_MS + 1
        await self._database.run(lambda tx: store.erase_before(tx, before_ms), frees=True)

    async def next_erasure(self) -> int | None:
        """When the oldest entry must be erased, in Unix ms; None if there is no entry."""
        oldest_ms = await self._database.run(store.oldest_ms)
        return None if oldest_ms is None else oldest_ms + KEPT_MS

    async def get_page(self, request: web.Request) -> web.Response:
        """`?who=` an id or "operator", `?what=` an act or a kind of acts, `?before=` the last `next`.

        As JSON `{"entries": […], "next": id or null}`. Raises DomainError `bad_request` (`field`).
        """
        wanted, before = _filter(request), number(request, "before", 1, ID_MAX, ID_MAX)
        found = await self.entries(member_of(request), wanted, before, PAGE_ENTRIES + 1)
        page = found[:PAGE_ENTRIES]
        next_before = page[-1].id if len(found) > PAGE_ENTRIES else None
        if wants_json(request):
            return responses.as_json({"entries": [_entry_json(entry) for entry in page], "next": next_before})
        query = {"who": wanted.who, "what": wanted.what}
        values = {
            "rows": [_row(request, entry) for entry in page],
            "actors": await self._database.run(store.actors),
            "kinds": KINDS,
            "days": KEPT_DAYS,
            **query,
            "more": urlencode({**query, "before": next_before}) if next_before else "",
        }
        return responses.page(request, "audit.html", values)

    ROUTES = (Route("GET", "/audit/", get_page, Access.ADMINISTRATOR, title="page.audit.title"),)
    TIMERS = (Timer("audit", next_erasure, erase_old),)


def _entries(tx: Transaction, actor: User, wanted: Filter, before: int, limit: int) -> list[Entry]:
    permissions.require_administrator(tx, actor)
    return store.entries(tx, wanted, before, limit)


def _filter(request: web.Request) -> Filter:
    """Parse `who` and `what` of the query. Raises DomainError `bad_request` (`field`)."""
    who, what = request.query.get("who", ""), request.query.get("what", "")
    if who not in ("", store.OPERATOR) and whole_number(who, 1) is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="who")
    if what not in ("", *KINDS, *AuditAct):
        raise DomainError(ErrorCode.BAD_REQUEST, field="what")
    return Filter(who, what)


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at_ms": entry.at_ms,
        "act": entry.act,
        "by": _who_json(entry.by),
        "user": _who_json(entry.user),
        "details": entry.details,
        "device": entry.device,
    }


def _who_json(who: Actor | None) -> dict[str, Any] | None:
    return {"id": who.id, "name": who.name} if who else None


def _row(request: web.Request, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "by": entry.by.name if entry.by else "",
        "sentence": sentence(request, entry),
        "at": local_time(request, entry.at_ms),
        "device": entry.device,
    }
