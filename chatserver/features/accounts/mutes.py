"""Keeps in memory which members are muted until when, so that pages and handshakes need no query."""

from __future__ import annotations

from chatserver.core.clock import Clock
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.events import MemberMuted


class Mutes:
    """Holds only the members who are muted. Call `load` before the first event is published."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._until_ms: dict[int, int] = {}

    async def load(self) -> None:
        self._until_ms = await self._database.run(lambda tx: _muted(tx, self._clock.now_ms()))

    def until_ms(self, user: User | None) -> int:
        """The end of the member's mute in Unix ms; 0 if the member is not muted, and for a guest."""
        until_ms = self._until_ms.get(user.id, 0) if user else 0
        return until_ms if until_ms > self._clock.now_ms() else 0

    def on_muted(self, event: MemberMuted) -> None:
        now_ms = self._clock.now_ms()
        kept = {user_id: until_ms for user_id, until_ms in self._until_ms.items() if until_ms > now_ms}
        self._until_ms = {**kept, event.user_id: event.until_ms}

    LISTENERS = ((MemberMuted, on_muted),)


def _muted(tx: Transaction, now_ms: int) -> dict[int, int]:
    return dict(tx.all("SELECT id, muted_until_ms FROM users WHERE muted_until_ms > ?", (now_ms,)))
