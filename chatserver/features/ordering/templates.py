"""Templates (prepared windows), which administrators make, change, remove and open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.ordering import answers, offer, template_store
from chatserver.features.ordering.events import TemplatesChanged
from chatserver.features.ordering.offer import Offer
from chatserver.features.ordering.window import OrderingWindows
from chatserver.http import forms, responses
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.viewer import form_of, member_of, wants_html


class Templates:
    def __init__(self, database: Database, clock: Clock, windows: OrderingWindows) -> None:
        self._database = database
        self._clock = clock
        self._windows = windows

    async def get(self, request: web.Request) -> web.Response:
        return responses.as_json({"templates": await self._database.run(template_store.listed)})

    async def on_form(self, request: web.Request) -> web.Response:
        """`act`: `make`, `change`, `remove` or `open`; as JSON, or as a form with `items` as JSON text.

        Answers `{"template": …}`, with 201 for a new template or an opened window; a browser's form gets 303.
        """
        actor, fields = member_of(request), await _fields_of(request)
        act = fields.get("act")
        if act == "open":
            shown, status = await self._open(actor, fields), 201
        else:
            shown, status = await self._database.run(self._changing(actor, act, fields)), 201 if act == "make" else 200
        return (
            responses.see_other("/orders/") if wants_html(request) else responses.as_json({"template": shown}, status)
        )

    async def _open(self, actor: User, fields: dict[str, Any]) -> dict[str, Any]:
        template_id = _id(fields)
        await self._windows.start(actor, template_id=template_id)
        return await self._database.run(
            lambda tx: template_store.as_json(template_id, template_store.find(tx, template_id))
        )

    def _changing(self, actor: User, act: Any, fields: dict[str, Any]) -> Callable[[Transaction], dict[str, Any]]:
        if act == "make":
            window_id = answers.optional_id(fields, "window")
            offered = None if window_id else offer.read(fields)
            return lambda tx: self._make(tx, actor, offered or template_store.of_window(tx, window_id or 0))
        template_id = _id(fields)
        if act == "change":
            offer.read(fields)
            return lambda tx: self._change(tx, actor, template_id, fields)
        if act == "remove":
            return lambda tx: _remove(tx, actor, template_id, self._clock.now_ms())
        raise DomainError(ErrorCode.BAD_REQUEST, field="act")

    def _make(self, tx: Transaction, actor: User, offered: Offer) -> dict[str, Any]:
        actor, now_ms = permissions.require_administrator(tx, actor), self._clock.now_ms()
        template_id = template_store.insert(tx, offered, actor.id, now_ms)
        record(tx, now_ms, AuditAct.TEMPLATE_MAKE, actor, template=template_id)
        return template_store.as_json(template_id, offered)

    def _change(self, tx: Transaction, actor: User, template_id: int, fields: dict[str, Any]) -> dict[str, Any]:
        """Values that `fields` does not name stay as they are."""
        actor, now_ms = permissions.require_administrator(tx, actor), self._clock.now_ms()
        before = template_store.as_json(template_id, template_store.find(tx, template_id))
        changed = offer.read({**before, **fields})
        template_store.change(tx, template_id, changed, actor.id, now_ms)
        tx.announce(TemplatesChanged())
        record(tx, now_ms, AuditAct.TEMPLATE_CHANGE, actor, template=template_id)
        return template_store.as_json(template_id, changed)

    ROUTES = (
        Route("GET", "/orders/templates/", get, Access.ADMINISTRATOR),
        Route("POST", "/orders/templates/", on_form, Access.ADMINISTRATOR),
    )


def _remove(tx: Transaction, actor: User, template_id: int, now_ms: int) -> dict[str, Any]:
    permissions.require_administrator(tx, actor)
    before = template_store.as_json(template_id, template_store.find(tx, template_id))
    template_store.remove(tx, template_id)
    tx.announce(TemplatesChanged())
    record(tx, now_ms, AuditAct.TEMPLATE_REMOVE, actor, template=template_id)
    return before


async def _fields_of(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        return await forms.read_json(request)
    fields: dict[str, Any] = {name: value for name, value in form_of(request).fields.items() if value != ""}
    try:
        fields |= {name: json.loads(fields[name]) for name in ("items", "seconds") if name in fields}
    except (ValueError, RecursionError):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items") from None
    return fields


def _id(fields: dict[str, Any]) -> int:
    found = answers.optional_id(fields, "id")
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="id")
    return found
