"""Finds the bot of a request, by the token in the Authorization header or in the path `/bots/TOKEN/messages`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Session
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.sessions import bot_session_id
from chatserver.features.bots import store
from chatserver.features.bots.store import Bot
from chatserver.http import bearer
from chatserver.http.origin import OriginPolicy

WITHIN_SECONDS = 15 * 60
WRONG_TOKENS_OF_ADDRESS = 20
# The interval at which a bot's `used_ms` is written.
TOUCH_MS = 60_000
REMEMBERED_MAX = 20_000


class BotTokens:
    """`find_member_session` looks up the session of a request without a bot's token."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        origin: OriginPolicy,
        find_member_session: Callable[[web.Request], Awaitable[Session | None]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._origin = origin
        self._find_member_session = find_member_session
        self._wrong_of_address = AttemptLimit(clock, WRONG_TOKENS_OF_ADDRESS, WITHIN_SECONDS)
        # The hashes of valid tokens, and (address, hash) of wrong tokens.
        self._right: BoundedDict[bytes, bool] = BoundedDict(REMEMBERED_MAX)
        self._wrong: BoundedDict[tuple[str, bytes], bool] = BoundedDict(REMEMBERED_MAX)

    async def find_session(self, request: web.Request) -> Session | None:
        """The present session of the request; None for a guest.

        If there is a token, a cookie is ignored. Raises DomainError: `login_required` for a wrong token, `banned`, and
        `login_throttled` after 20 different wrong tokens of the address in 15 minutes.
        """
        token = request.match_info.get("bot_token") or bearer.token_of(request)
        if token is None:
            return await self._find_member_session(request)
        return await self._session_of(token, self._origin.address(request))

    async def _session_of(self, token: str, address: str) -> Session:
        token_hash, now_ms = store.hash_of(token), self._clock.now_ms()
        # A token that was valid before is never throttled, so that a guesser cannot block the bots of this address.
        wait_ms = self._wrong_of_address.wait_ms(address)
        if wait_ms and token_hash not in self._right:
            raise DomainError(ErrorCode.LOGIN_THROTTLED, retry_after_ms=wait_ms)
        bot = await self._database.run(lambda tx: _use(tx, token_hash, now_ms))
        if bot is None:
            self._count_wrong(address, token_hash)
            raise DomainError(ErrorCode.LOGIN_REQUIRED, reason="token")
        self._right[token_hash] = True
        if bot.banned:
            raise DomainError(ErrorCode.BANNED)
        return Session(bot_session_id(bot.user.id), bot.user, bot.created_ms, now_ms, now_ms, "", address)

    def _count_wrong(self, address: str, token_hash: bytes) -> None:
        """Count each wrong token once, because a removed bot that retries with its token is not a guesser."""
        self._right.pop(token_hash, None)
        if (address, token_hash) not in self._wrong:
            self._wrong[address, token_hash] = True
            self._wrong_of_address.record(address)


def _use(tx: Transaction, token_hash: bytes, now_ms: int) -> Bot | None:
    bot = store.bot_of(tx, token_hash)
    if bot is not None and now_ms - (bot.used_ms or 0) >= TOUCH_MS:
        store.set_used(tx, bot.user.id, now_ms)
    return bot
