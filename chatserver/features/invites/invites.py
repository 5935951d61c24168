"""Invitations: who has one may register where that is by invitation only."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.invites import store
from chatserver.features.invites.store import OpenInvite

USES_MAX = 10_000
HOURS_MAX = 8_784.0  # a year, and a leap day
# What a page shows, the newest first; whoever makes more can withdraw some.
OPENED_MAX = 200


@dataclass(frozen=True, slots=True)
class Invite:
    """`code` is kept nowhere: this is the only time that it can be told."""

    code: str
    opened: OpenInvite


class Invites:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, uses: int, hours: float, maker: User | None = None) -> Invite:
        """An invitation for `uses` members (1 to USES_MAX) that works for `hours` (up to HOURS_MAX).

        `maker` is the administrator who asks; None: the operator. Refuses anything else with
        `bad_request`, and anybody else with `forbidden`.
        """
        if not 1 <= uses <= USES_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="uses")
        if not 0 < hours <= HOURS_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="hours")
        code, now_ms = secrets.token_urlsafe(16), self._clock.now_ms()
        opened = OpenInvite(
            _hash(code).hex(), uses, now_ms, now_ms + int(hours * 3_600_000), maker.name if maker else ""
        )
        await self._database.run(lambda tx: _create(tx, opened, maker))
        return Invite(code, opened)

    async def opened(self, actor: User) -> list[OpenInvite]:
        """The newest OPENED_MAX that still let somebody in. For administrators: others get `forbidden`."""
        now_ms = self._clock.now_ms()

        def unit(tx: Transaction) -> list[OpenInvite]:
            permissions.administrator(tx, actor)
            return store.opened(tx, now_ms, OPENED_MAX)

        return await self._database.run(unit)

    async def withdraw(self, actor: User, invite_id: str) -> None:
        """From now on it lets nobody in. Refuses with `forbidden`, and `not_found` where there is none (any more)."""

        def unit(tx: Transaction) -> None:
            permissions.administrator(tx, actor)
            if not store.delete(tx, invite_id):
                raise DomainError(ErrorCode.NOT_FOUND)

        await self._database.run(unit)

    async def check(self, code: str) -> None:
        """Refuse early, with `invite_invalid`, what `use` would refuse; `use` asks again."""
        now_ms = self._clock.now_ms()
        if not await self._database.run(lambda tx: store.is_good(tx, _hash(code), now_ms)):
            raise DomainError(ErrorCode.INVITE_INVALID)


def use(tx: Transaction, code: str, now_ms: int) -> None:
    """Take one use of an invitation. Refuses with `invite_invalid` when it is not, or no longer, good."""
    if not store.use(tx, _hash(code), now_ms):
        raise DomainError(ErrorCode.INVITE_INVALID)


def _create(tx: Transaction, new: OpenInvite, maker: User | None) -> None:
    made_by = permissions.administrator(tx, maker).id if maker else None
    store.delete_expired(tx, new.created_ms)  # they let nobody in; this only keeps the table short
    store.insert(tx, new, made_by)


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.strip().encode("utf-8", "surrogatepass")).digest()
