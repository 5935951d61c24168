"""Readings: the names, quantities and units of a free-text order, as an administrator confirmed. Not part of the proof.

The page suggests a reading (static/js/ledger/quantities.js). Only a reading that an administrator confirmed is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from aiohttp import web

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Audience, ContentErased, Event
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages.text import clean, is_storable
from chatserver.features.ordering import amounts, answers, store
from chatserver.features.ordering.offer import NAME_MAX, UNIT_MAX
from chatserver.http import forms, responses
from chatserver.http.access import Access
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import member_of

LINES_MAX = 20


@dataclass(frozen=True, slots=True)
class ReadingConfirmed(Event):
    """The reading of an order was confirmed. `lines`: its JSON list. Frame `reading`, for administrators."""

    audience: ClassVar[Audience] = Audience.ADMINISTRATORS
    window_id: int
    no: int
    lines: str

    def frame(self) -> bytes:
        shape = '{"type":"reading","window_id":%d,"no":%d,"reading":%s}'
        return json.escape_html(shape % (self.window_id, self.no, self.lines))


class Reading(NamedTuple):
    """`lines`: the JSON list to store; `[]` means that the order names no amount.

    `changed_ms`: the order's `changed_ms` when the administrator read it. None: accept the order with any text.
    """

    no: int
    lines: str
    changed_ms: int | None


class Readings:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def confirm(self, actor: User, window_id: int, reading: Reading) -> None:
        """Store the reading, and replace an earlier one.

        Raises DomainError: `forbidden`, `banned`, `not_found`, `gone` (erased, withdrawn, or, with `reason`
        `order_changed`, changed after it was read), `bad_request` (an order of items).
        """
        await self._database.run(lambda tx: _confirm(tx, actor, window_id, reading, self._clock.now_ms()))

    async def on_json(self, request: web.Request) -> web.Response:
        """Read `no`, `lines` (`name`, `quantity`, `unit`), `none`, `changed_ms`. Answers `{"no", "reading"}`."""
        reading = read(await forms.read_json(request))
        await self.confirm(member_of(request), path_id(request), reading)
        shape = '{"no":%d,"reading":%s}'
        return responses.encoded_json(json.escape_html(shape % (reading.no, reading.lines)))

    ROUTES = (Route("POST", f"/orders/{ID}/readings", on_json, Access.ADMINISTRATOR),)


def read(fields: dict[str, Any]) -> Reading:
    """Read the fields of the request. Raises DomainError `bad_request` (`field`)."""
    no, given, is_none = answers.optional_id(fields, "no"), fields.get("lines"), fields.get("none", False)
    if no is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="no")
    if type(is_none) is not bool:
        raise DomainError(ErrorCode.BAD_REQUEST, field="none")
    if not isinstance(given, list) or len(given) > LINES_MAX or bool(given) == is_none:
        raise DomainError(ErrorCode.BAD_REQUEST, field="lines", limit=LINES_MAX)
    return Reading(no, json.encode_value([_line(each) for each in given]), answers.optional_id(fields, "changed_ms"))


def of_window(tx: Transaction, window_id: int) -> dict[int, str]:
    """Order's id -> the JSON list of its confirmed lines, for orders that have a reading."""
    return dict(
        tx.all(
            "SELECT r.message_id, r.lines FROM orders o JOIN order_readings r ON r.message_id = o.message_id"
            " WHERE o.window_id = ?",
            (window_id,),
        )
    )


def _confirm(tx: Transaction, actor: User, window_id: int, reading: Reading, now_ms: int) -> None:
    permissions.require_administrator(tx, actor)
    if store.window(tx, window_id) is None:
        raise store.missing(tx, window_id)
    order = store.order_of_number(tx, window_id, reading.no)
    if order is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    if not order.is_standing:
        raise DomainError(ErrorCode.GONE)
    if not order.is_free_text:  # an order of items needs no reading
        raise DomainError(ErrorCode.BAD_REQUEST, field="no")
    if reading.changed_ms not in (None, order.changed_ms):
        raise DomainError(ErrorCode.GONE, reason="order_changed")
    if store.put_reading(tx, order.id, reading.lines):
        tx.announce(ContentErased())
    record(tx, now_ms, AuditAct.ORDER_READING, actor, order.user_id, window=window_id, no=order.no)
    tx.announce(ReadingConfirmed(window_id, order.no, reading.lines))


def _line(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise DomainError(ErrorCode.BAD_REQUEST, field="lines")
    quantity = amounts.parse(given.get("quantity"))
    if quantity is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="lines", reason="amount")
    return {
        "name": _text(given.get("name"), 1, NAME_MAX),
        "quantity": amounts.quantity(quantity),
        "unit": _text(given.get("unit", ""), 0, UNIT_MAX),
    }


def _text(given: Any, least: int, most: int) -> str:
    """Clean a text and put it on one line. Raises DomainError `bad_request`."""
    if not isinstance(given, str) or len(given) > 4 * most or not is_storable(given):
        raise DomainError(ErrorCode.BAD_REQUEST, field="lines")
    text = " ".join(clean(given).split())
    if not least <= len(text) <= most:
        raise DomainError(ErrorCode.BAD_REQUEST, field="lines", limit=most)
    return text
