"""Invitations: who has one may register where that is by invitation only."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from chatserver.clock import Clock
from chatserver.refusals import Code, Refusal
from chatserver.storage import Database, Transaction, invites

USES_MAX = 10_000
HOURS_MAX = 8_784.0  # a year, and a leap day


@dataclass(frozen=True, slots=True)
class Invite:
    """`code` is kept nowhere: this is the only time that it can be told."""

    code: str
    uses: int
    expires_ms: int


class Invites:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, uses: int, hours: float) -> Invite:
        """An invitation for `uses` members (1 to USES_MAX) that works for `hours` (up to HOURS_MAX).

        Refuses anything else with `bad_request`.
        """
        if not 1 <= uses <= USES_MAX:
            raise Refusal(Code.BAD_REQUEST, field="uses")
        if not 0 < hours <= HOURS_MAX:
            raise Refusal(Code.BAD_REQUEST, field="hours")
        now_ms = self._clock.now_ms()
        invite = Invite(secrets.token_urlsafe(16), uses, now_ms + int(hours * 3_600_000))
        await self._database.run(lambda tx: _create(tx, invite, now_ms))
        return invite

    async def check(self, code: str) -> None:
        """Refuse early, with `invite_invalid`, what `use` would refuse; `use` asks again."""
        now_ms = self._clock.now_ms()
        if not await self._database.run(lambda tx: invites.is_good(tx, _hash(code), now_ms)):
            raise Refusal(Code.INVITE_INVALID)


def use(tx: Transaction, code: str, now_ms: int) -> None:
    """Take one use of an invitation. Refuses with `invite_invalid` when it is not, or no longer, good."""
    if not invites.use(tx, _hash(code), now_ms):
        raise Refusal(Code.INVITE_INVALID)


def _create(tx: Transaction, invite: Invite, now_ms: int) -> None:
    invites.delete_expired(tx, now_ms)  # they let nobody in; this only keeps the table short
    invites.insert(tx, _hash(invite.code), invite.uses, now_ms, invite.expires_ms)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).digest()
