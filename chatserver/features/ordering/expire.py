"""Erases a ledger, with its journal, marks and readings, when its time is over (setting `ledger_days`)."""

from __future__ import annotations

from chatserver.core.clock import Clock
from chatserver.core.config import Config, CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.events import ContentErased
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages.expiry import Expiry
from chatserver.features.ordering.events import LedgerErased, WindowChanged
from chatserver.features.settings.settings import SettingsChanged


class LedgerExpiry:
    """Ledgers age as messages do, so that a wall clock that jumps ahead erases nothing (see messages/expiry.py)."""

    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, expiry: Expiry) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._expiry = expiry

    async def expire(self) -> None:
        await self._database.run(self.trim, frees=True)

    async def next_expiry(self) -> int | None:
        """When the oldest ledger expires, in Unix ms; None if no window is closed."""
        closed_ms: int | None = await self._database.run(lambda tx: tx.one("SELECT min(closed_ms) FROM windows")[0])
        return None if closed_ms is None else closed_ms + self._settings.now.ledger_ms + self._expiry.behind_ms

    def trim(self, tx: Transaction) -> None:
        before_ms = self._expiry.aging_now_ms(tx) - self._settings.now.ledger_ms
        erased = tx.all("DELETE FROM windows WHERE closed_ms <= ? RETURNING id", (before_ms,))
        for (window_id,) in erased:
            tx.announce(LedgerErased(window_id))
        if erased:
            tx.announce(ContentErased(is_urgent=True))

    def would_erase(self, tx: Transaction, config: Config) -> int:
        """How many ledgers would be erased under these settings."""
        before_ms = self._expiry.aging_now_ms(tx) - config.ledger_ms
        (count,) = tx.one("SELECT count(*) FROM windows WHERE closed_ms <= ?", (before_ms,))
        return int(count)

    TIMERS = (
        Timer(
            "ledger",
            next_expiry,
            expire,
            {
                WindowChanged: lambda expiry, event: (
                    None if event.window.is_open else expiry._clock.now_ms() + expiry._settings.now.ledger_ms
                ),
                # Read the deadline again, because ledgers may be kept for a shorter time now.
                SettingsChanged: lambda expiry, event: expiry._clock.now_ms(),
            },
        ),
    )
