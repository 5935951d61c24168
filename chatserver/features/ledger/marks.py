"""Marks that administrators set at the pick-up: who has paid, who has collected. They are not part of the proof."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from aiohttp import web

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Audience, Event
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.ordering import answers, store
from chatserver.http import forms, responses
from chatserver.http.access import Access
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import form_of, member_of

_MARKS = ("paid", "collected")
_FORM_VALUES = {"true": True, "1": True, "on": True, "false": False, "0": False, "": False}


@dataclass(frozen=True, slots=True)
class MarksChanged(Event):
    """The marks of member `member_id` in a window have changed. Frame `marks`, for administrators."""

    audience: ClassVar[Audience] = Audience.ADMINISTRATORS
    window_id: int
    member_id: int
    paid: bool
    collected: bool

    def frame(self) -> bytes:
        return json.dumps(
            {
                "type": "marks",
                "window_id": self.window_id,
                "user_id": self.member_id,
                "marks": {"paid": self.paid, "collected": self.collected},
            }
        )


class Marks:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def mark(self, actor: User, window_id: int, member_id: int, changes: dict[str, bool]) -> dict[str, bool]:
        """Set the marks that `changes` names. Returns the member's marks after the change.

        Raises DomainError: `forbidden`, `banned`, `not_found` (also a member without an order), `gone`.
        """
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: _mark(tx, actor, window_id, member_id, changes, now_ms))

    async def on_form(self, request: web.Request) -> web.Response:
        """Read `user_id`, `paid`, `collected` (JSON or form). Answers 200 with `{"marks": {"paid", "collected"}}`."""
        is_json = request.content_type == "application/json"
        fields = await forms.read_json(request) if is_json else dict(form_of(request).fields)
        member_id = answers.optional_id(fields, "user_id")
        if member_id is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field="user_id")
        changes = {name: _boolean(fields[name], name) for name in _MARKS if fields.get(name) is not None}
        marks = await self.mark(member_of(request), path_id(request), member_id, changes)
        return responses.as_json({"marks": marks})

    ROUTES = (Route("POST", f"/orders/{ID}/marks", on_form, Access.ADMINISTRATOR),)


def of_window(tx: Transaction, window_id: int) -> dict[int, dict[str, bool]]:
    """Member's id -> marks, for members who have marks."""
    rows = tx.all("SELECT user_id, paid, collected FROM marks WHERE window_id = ?", (window_id,))
    return {user_id: {"paid": bool(paid), "collected": bool(collected)} for user_id, paid, collected in rows}


def _mark(
    tx: Transaction, actor: User, window_id: int, member_id: int, changes: dict[str, bool], now_ms: int
) -> dict[str, bool]:
    permissions.require_administrator(tx, actor)
    if store.window(tx, window_id) is None:
        raise store.missing(tx, window_id)
    if not store.orders_of_members(tx, window_id, [member_id]):
        raise DomainError(ErrorCode.NOT_FOUND)
    before = {"paid": False, "collected": False, **of_window(tx, window_id).get(member_id, {})}
    marks = {**before, **changes}
    if marks == before:
        return marks
    tx.execute(
        "INSERT OR REPLACE INTO marks (window_id, user_id, paid, collected) VALUES (?, ?, ?, ?)",
        (window_id, member_id, marks["paid"], marks["collected"]),
    )
    record(tx, now_ms, AuditAct.ORDER_MARK, actor, member_id, window=window_id, **marks)
    tx.announce(MarksChanged(window_id, member_id, **marks))
    return marks


def _boolean(value: Any, field: str) -> bool:
    found = _FORM_VALUES.get(value) if isinstance(value, str) else value
    if type(found) is not bool:
        raise DomainError(ErrorCode.BAD_REQUEST, field=field)
    return found
