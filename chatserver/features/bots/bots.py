"""Administrators make bots, give them new tokens, and remove them.

A token is shown once and stored as its hash.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.core.numbers import ID_MAX, whole_number
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, permissions
from chatserver.features.accounts.sessions import end_bot
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.bots import store
from chatserver.features.bots.store import Bot
from chatserver.http import confirmation, forms, responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.page_context import local_time
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, form_of, member_of, wants_json

log = logging.getLogger(__name__)

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_FIELDS = {"name", "manages_windows", "new_token", "remove", confirmation.FIELD}


@dataclass(frozen=True, slots=True)
class MadeBot:
    """`token` is not stored: it cannot be shown again."""

    bot: Bot
    token: str


class Bots:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(self, actor: User, name: str, manages_windows: bool = False) -> MadeBot:
        """A new bot. `manages_windows`: it may start, stop and show ordering windows.

        A bot that was removed comes back by its name. Raises DomainError: `name_invalid`, `name_taken`, `forbidden`,
        `banned`.
        """
        name, token, now_ms = names.check(name), store.new_token(), self._clock.now_ms()
        bot = await self._database.run(lambda tx: _make(tx, actor, name, token, manages_windows, now_ms))
        log.info("%s made the bot %s (%d)", actor.name, name, bot.user.id)
        return MadeBot(bot, token)

    async def replace_token(self, actor: User, bot_id: int) -> MadeBot:
        """A new token; the old one is worth nothing, and its connections close with 4401.

        Raises DomainError: `not_found`, `forbidden`, `banned`.
        """
        token = store.new_token()
        bot = await self._database.run(lambda tx: _replace_token(tx, actor, bot_id, token, self._clock.now_ms()))
        log.info("%s gave the bot %s (%d) a new token", actor.name, bot.user.name, bot.user.id)
        return MadeBot(bot, token)

    async def remove(self, actor: User, bot_id: int) -> None:
        """The bot's connections close with 4401, and its messages stay.

        Raises DomainError: `not_found`, `forbidden`, `banned`.
        """
        bot = await self._database.run(lambda tx: _remove(tx, actor, bot_id, self._clock.now_ms()))
        log.info("%s removed the bot %s (%d)", actor.name, bot.user.name, bot.user.id)

    async def listed(self, actor: User) -> list[Bot]:
        """The bots in use. Raises DomainError: `forbidden`, `banned`."""
        return await self._database.run(lambda tx: _listed(tx, actor))

    async def get_page(self, request: web.Request) -> web.Response:
        """The bots; as JSON `{"bots": […]}`. Their tokens are not stored."""
        if wants_json(request):
            return await self._list(request)
        is_removed = request.query.get("done") == "removed"
        notice = request[VIEWER].t("page.bots.done_removed") if is_removed else None
        return responses.page(request, "bots.html", {**await self._page(request), "notice": notice})

    async def on_form(self, request: web.Request) -> web.Response:
        """Makes a bot of `name` and `manages_windows`; or gives the one whose id is `new_token` a new token; or
        removes the one whose id is `remove`.

        A token is answered with 201, and shown only now. Raises DomainError: `name_invalid`, `name_taken`,
        `bad_request` (`field`), `not_found`.
        """
        typed: dict[str, Any] = {}
        try:
            typed = await _typed(request)
            for act in ("new_token", "remove"):
                if typed.get(act) and confirmation.is_needed(request):
                    return await self._ask(request, act, _id(typed, act))
            if typed.get("remove"):
                return await self._on_remove(request, _id(typed, "remove"))
            return await self._shown(request, await self._made(member_of(request), typed))
        except DomainError as error:
            values = {**await self._page(request, typed), "wrong": _wrong_field(error)}
            return responses.refused_form(request, error, "bots.html", values)

    async def _made(self, actor: User, typed: dict[str, Any]) -> MadeBot:
        if typed.get("new_token"):
            return await self.replace_token(actor, _id(typed, "new_token"))
        name = typed.get("name", "")
        if not isinstance(name, str):
            raise DomainError(ErrorCode.BAD_REQUEST, field="name")
        return await self.make(actor, name, _is_on(typed, "manages_windows"))

    async def _shown(self, request: web.Request, made: MadeBot) -> web.Response:
        """The token, in this response only: a page to redirect to could not show it."""
        if wants_json(request):
            return responses.as_json({"bot": {**_bot_json(made.bot), "token": made.token}}, 201)
        address = request.app[SITE].origin.origin(request)
        values = {**await self._page(request), "made": made.bot.user.name, "token": made.token, "address": address}
        return responses.page(request, "bots.html", values, 201)

    async def _ask(self, request: web.Request, act: str, bot_id: int) -> web.Response:
        actor, t = member_of(request), request[VIEWER].t
        bot = await self._database.run(lambda tx: _found(tx, actor, bot_id))
        facts = [t(f"page.bots.follows_{act}")]
        return confirmation.ask(
            request, t(f"page.bots.ask_{act}", name=bot.user.name), facts, t(f"page.bots.{act}"), "/bots/"
        )

    async def _on_remove(self, request: web.Request, bot_id: int) -> web.Response:
        await self.remove(member_of(request), bot_id)
        return await self._list(request) if wants_json(request) else responses.see_other("/bots/?done=removed")

    async def _list(self, request: web.Request) -> web.Response:
        return responses.as_json({"bots": [_bot_json(bot) for bot in await self.listed(member_of(request))]})

    async def _page(self, request: web.Request, typed: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        return {
            "error": None,
            "notice": None,
            "rows": [_row(request, bot, now_ms) for bot in await self.listed(member_of(request))],
            "values": {name: typed.get(name, "") for name in ("name", "manages_windows")},
            "wrong": "",
            "made": "",
            "token": "",
            "address": "",
        }

    ROUTES = (
        Route("GET", "/bots/", get_page, Access.ADMINISTRATOR),
        Route("POST", "/bots/", on_form, Access.ADMINISTRATOR),
    )


def _make(tx: Transaction, actor: User, name: str, token: str, manages_windows: bool, now_ms: int) -> Bot:
    maker = permissions.administrator(tx, actor)
    bot = store.insert(tx, name, token, manages_windows, maker, now_ms)
    record(tx, now_ms, AuditAct.BOT_MAKE, maker, bot.user.id, manages_windows=manages_windows)
    return bot


def _replace_token(tx: Transaction, actor: User, bot_id: int, token: str, now_ms: int) -> Bot:
    bot = _found(tx, actor, bot_id)
    store.set_token(tx, bot_id, token)
    record(tx, now_ms, AuditAct.BOT_TOKEN, actor, bot_id)
    end_bot(tx, bot_id)
    return bot


def _remove(tx: Transaction, actor: User, bot_id: int, now_ms: int) -> Bot:
    bot = _found(tx, actor, bot_id)
    store.remove(tx, bot_id)
    record(tx, now_ms, AuditAct.BOT_REMOVE, actor, bot_id)
    end_bot(tx, bot_id)
    return bot


def _found(tx: Transaction, actor: User, bot_id: int) -> Bot:
    permissions.administrator(tx, actor)
    return store.bot(tx, bot_id)


def _listed(tx: Transaction, actor: User) -> list[Bot]:
    permissions.administrator(tx, actor)
    return store.all_bots(tx)


async def _typed(request: web.Request) -> dict[str, Any]:
    """The fields of a form or a JSON object. Raises DomainError `bad_request` (`field`) for an unknown one."""
    is_json = request.content_type == "application/json"
    typed: dict[str, Any] = await forms.read_json(request) if is_json else dict(form_of(request).fields)
    typed.pop("csrf_token", None)
    for name in typed.keys() - _FIELDS:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return typed


def _id(typed: dict[str, Any], name: str) -> int:
    """An id, as a number or as digits."""
    value = typed[name]
    found = whole_number(str(value), 1, ID_MAX) if isinstance(value, str | int) else None
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return found


def _is_on(typed: dict[str, Any], name: str) -> bool:
    """True, or "1" of a form's box; without it false."""
    value = typed.get(name, False)
    if value not in (True, False, "1", ""):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return value in (True, "1")


def _wrong_field(error: DomainError) -> str:
    return "name" if error.code in (ErrorCode.NAME_INVALID, ErrorCode.NAME_TAKEN) else ""


def _bot_json(bot: Bot) -> dict[str, Any]:
    return {
        **user_json(bot.user),
        "manages_windows": bot.manages_windows,
        "made_by": bot.made_by,
        "created_ms": bot.created_ms,
        "used_ms": bot.used_ms,
        "muted_until_ms": bot.muted_until_ms,
        "banned": bot.banned,
    }


def _row(request: web.Request, bot: Bot, now_ms: int) -> dict[str, Any]:
    return {
        **_bot_json(bot),
        "muted_until": local_time(request, bot.muted_until_ms) if bot.muted_until_ms > now_ms else "",
        "created": local_time(request, bot.created_ms),
        "used": local_time(request, bot.used_ms) if bot.used_ms else "",
    }
