"""Administrators make bots, change their permissions, replace or end their tokens, and remove bots.

A token is shown once and stored as its hash.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, permissions
from chatserver.features.accounts.sessions import end_bot
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.bots import form, store
from chatserver.features.bots.store import RATE, RATE_MAX, Bot, BotPermissions
from chatserver.http import confirmation, responses
from chatserver.http.access import Access
from chatserver.http.encode import user_json
from chatserver.http.page_context import local_time
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.typed_fields import typed_fields
from chatserver.http.viewer import VIEWER, member_of, wants_json

log = logging.getLogger(__name__)

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_DEFAULT = BotPermissions()
# Acts that create no token -> the value of `?done=` in the redirect after the act.
_DONE = {"change": "changed", "end_token": "ended", "remove": "removed"}
# Acts that a browser's form must confirm, because they disconnect programs.
_ASKED = ("new_token", "end_token", "remove")


@dataclass(frozen=True, slots=True)
class MadeBot:
    """`token` is not stored: it cannot be shown again."""

    bot: Bot
    token: str


class Bots:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(self, actor: User, name: str, powers: BotPermissions = _DEFAULT) -> MadeBot:
        """Make a bot, which reads and posts.

        With `powers.manages_windows` it also starts, stops and shows ordering windows. With the name of a removed bot,
        that bot is used again. Raises DomainError: `name_invalid`, `name_taken`, `forbidden`, `banned`.
        """
        name, token, now_ms = names.check(name), store.new_token(), self._clock.now_ms()
        bot = await self._database.run(lambda tx: _make(tx, actor, name, token, powers, now_ms))
        log.info("%s made the bot %s (%d)", actor.name, name, bot.user.id)
        return MadeBot(bot, token)

    async def change(self, actor: User, bot_id: int, wanted: Callable[[BotPermissions], BotPermissions]) -> Bot:
        """Change the bot's permissions and rate, from its next command or message on, also on open connections.

        `wanted` gets the present permissions, and returns the new permissions. Raises DomainError: `not_found`,
        `forbidden`, `banned`.
        """
        bot = await self._database.run(lambda tx: _change(tx, actor, bot_id, wanted, self._clock.now_ms()))
        log.info("%s changed what the bot %s (%d) may do", actor.name, bot.user.name, bot.user.id)
        return bot

    async def replace_token(self, actor: User, bot_id: int) -> MadeBot:
        """Give the bot a new token. The old token becomes invalid, and its connections are closed with 4401.

        Raises DomainError: `not_found`, `forbidden`, `banned`.
        """
        token = store.new_token()
        bot = await self._database.run(lambda tx: _replace_token(tx, actor, bot_id, token, self._clock.now_ms()))
        log.info("%s gave the bot %s (%d) a new token", actor.name, bot.user.name, bot.user.id)
        return MadeBot(bot, token)

    async def end_token(self, actor: User, bot_id: int) -> Bot:
        """Make the bot's token invalid, and close its connections with 4401. The bot can get a new token later.

        Raises DomainError: `not_found`, `forbidden`, `banned`.
        """
        bot = await self._database.run(lambda tx: _end_token(tx, actor, bot_id, self._clock.now_ms()))
        log.info("%s ended the token of the bot %s (%d)", actor.name, bot.user.name, bot.user.id)
        return bot

    async def remove(self, actor: User, bot_id: int) -> None:
        """Remove the bot, and close its connections with 4401. Its messages stay.

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
        done = request.query.get("done", "")
        notice = request[VIEWER].t(f"page.bots.done_{done}") if done in _DONE.values() else None
        return responses.page(request, "bots.html", {**await self._page(request), "notice": notice})

    async def on_form(self, request: web.Request) -> web.Response:
        """Make a bot from `name`, `manages_windows` and `rate`; or set the last two fields of the bot with the id
        `change`; or do an act on the bot whose id is in `new_token`, `end_token` or `remove`.

        An answer with a token has status 201; the token is not shown again. Raises DomainError: `name_invalid`,
        `name_taken`, `bad_request` (`field`), `not_found`.
        """
        typed: dict[str, Any] = {}
        try:
            typed = await typed_fields(request, form.FIELDS)
            act = form.act_of(typed)
            if act in _ASKED and confirmation.is_needed(request):
                return await self._ask(request, act, form.bot_id(typed, act))
            if act in _DONE:
                await self._do(member_of(request), act, typed)
                return await self._done(request, act)
            return await self._shown(request, await self._made(member_of(request), act, typed))
        except DomainError as error:
            values = {**await self._page(request, typed), "wrong": _wrong_field(error)}
            return responses.refused_form(request, error, "bots.html", values)

    async def _do(self, actor: User, act: str, typed: dict[str, Any]) -> None:
        bot_id = form.bot_id(typed, act)
        if act == "change":
            await self.change(actor, bot_id, lambda before: form.powers(typed, before))
        elif act == "end_token":
            await self.end_token(actor, bot_id)
        else:
            await self.remove(actor, bot_id)

    async def _made(self, actor: User, act: str, typed: dict[str, Any]) -> MadeBot:
        if act == "new_token":
            return await self.replace_token(actor, form.bot_id(typed, act))
        name = typed.get("name", "")
        if not isinstance(name, str):
            raise DomainError(ErrorCode.BAD_REQUEST, field="name")
        return await self.make(actor, name, form.powers(typed, _DEFAULT))

    async def _shown(self, request: web.Request, made: MadeBot) -> web.Response:
        """Answer with the token. It is in this response, because a page to redirect to could not show it."""
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

    async def _done(self, request: web.Request, act: str) -> web.Response:
        return await self._list(request) if wants_json(request) else responses.see_other(f"/bots/?done={_DONE[act]}")

    async def _list(self, request: web.Request) -> web.Response:
        return responses.as_json({"bots": [_bot_json(bot) for bot in await self.listed(member_of(request))]})

    async def _page(self, request: web.Request, typed: Mapping[str, Any] = _NOTHING) -> dict[str, Any]:
        now_ms = self._clock.now_ms()
        return {
            "error": None,
            "notice": None,
            "rows": [_row(request, bot, now_ms) for bot in await self.listed(member_of(request))],
            "values": {"name": "", "manages_windows": "", "rate": RATE, **({} if typed.get("change") else typed)},
            "rate_max": RATE_MAX,
            "wrong": "",
            "made": "",
            "token": "",
            "address": "",
        }

    ROUTES = (
        Route("GET", "/bots/", get_page, Access.ADMINISTRATOR, title="page.bots.title"),
        Route("POST", "/bots/", on_form, Access.ADMINISTRATOR),
    )


def _make(tx: Transaction, actor: User, name: str, token: str, powers: BotPermissions, now_ms: int) -> Bot:
    maker = permissions.require_administrator(tx, actor)
    bot = store.insert(tx, name, token, powers, maker, now_ms)
    record(tx, now_ms, AuditAct.BOT_MAKE, maker, bot.user.id, **asdict(powers))
    return bot


def _change(
    tx: Transaction, actor: User, bot_id: int, wanted: Callable[[BotPermissions], BotPermissions], now_ms: int
) -> Bot:
    bot = _found(tx, actor, bot_id)
    powers = wanted(bot.powers)
    if powers == bot.powers:
        return bot
    store.set_powers(tx, bot_id, powers)
    record(tx, now_ms, AuditAct.BOT_CHANGE, actor, bot_id, **asdict(powers))
    return replace(bot, powers=powers)


def _replace_token(tx: Transaction, actor: User, bot_id: int, token: str, now_ms: int) -> Bot:
    _found(tx, actor, bot_id)
    store.set_token(tx, bot_id, token)
    record(tx, now_ms, AuditAct.BOT_TOKEN, actor, bot_id)
    end_bot(tx, bot_id)
    return store.bot(tx, bot_id)


def _end_token(tx: Transaction, actor: User, bot_id: int, now_ms: int) -> Bot:
    bot = _found(tx, actor, bot_id)
    if not bot.has_token:
        return bot
    store.set_token(tx, bot_id, None)
    record(tx, now_ms, AuditAct.BOT_END_TOKEN, actor, bot_id)
    end_bot(tx, bot_id)
    return replace(bot, has_token=False)


def _remove(tx: Transaction, actor: User, bot_id: int, now_ms: int) -> Bot:
    bot = _found(tx, actor, bot_id)
    store.remove(tx, bot_id)
    record(tx, now_ms, AuditAct.BOT_REMOVE, actor, bot_id)
    end_bot(tx, bot_id)
    return bot


def _found(tx: Transaction, actor: User, bot_id: int) -> Bot:
    permissions.require_administrator(tx, actor)
    return store.bot(tx, bot_id)


def _listed(tx: Transaction, actor: User) -> list[Bot]:
    permissions.require_administrator(tx, actor)
    return store.all_bots(tx)


def _wrong_field(error: DomainError) -> str:
    if error.code in (ErrorCode.NAME_INVALID, ErrorCode.NAME_TAKEN):
        return "name"
    return str(error.details.get("field", ""))


def _bot_json(bot: Bot) -> dict[str, Any]:
    return {
        **user_json(bot.user),
        "manages_windows": bot.powers.manages_windows,
        "rate": bot.powers.rate,
        "has_token": bot.has_token,
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
