"""Expiry: erase the messages that are too old, or beyond the count that is kept."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.config import Config, CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.events import ContentErased, Event
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store
from chatserver.features.messages.clock_skew import ClockSkew
from chatserver.features.messages.post import MessagePosted
from chatserver.features.settings.settings import SettingsChanged


@dataclass(frozen=True, slots=True)
class MessagesExpired(Event):
    """`ids` are erased; so is every message below `first_id`."""

    ids: tuple[int, ...]
    first_id: int

    def frame(self) -> bytes:
        return json.dumps({"type": "expire", "ids": self.ids, "first_id": self.first_id})


class Expiry:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._clock_skew = ClockSkew(clock)

    async def expire(self) -> None:
        """Erase what is too old. `trim` does the same in every batch that changes something."""
        await self._database.run(self.trim, frees=True)

    async def next_expiry(self) -> int | None:
        """When the oldest message becomes too old, in Unix ms by the wall clock; None in an empty room."""
        oldest_ms: int | None = await self._database.run(lambda tx: tx.one("SELECT min(created_ms) FROM messages")[0])
        return None if oldest_ms is None else oldest_ms + self._settings.now.history_ms + self._clock_skew.behind_ms

    @property
    def behind_ms(self) -> int:
        """By how much content ages behind the wall clock now: see clock_skew.py."""
        return self._clock_skew.behind_ms

    def aging_now_ms(self, tx: Transaction) -> int:
        """The time by which the age of content is judged, in Unix ms."""
        return self._clock_skew.now_ms(tx, self._settings.now.history_ms)

    def trim(self, tx: Transaction) -> None:
        """Erase what is too old or beyond the count. Runs last in every commit, so that no list is ever too long."""
        config = self._settings.now
        since_ms = self.aging_now_ms(tx) - config.history_ms
        first_id = _oldest_to_keep(tx, config.history_limit, since_ms)
        if first_id <= 1:
            return
        rows = tx.all("DELETE FROM messages WHERE id < ? RETURNING id, image, thumb", (first_id,))
        if rows:
            ids = tuple(sorted(row[0] for row in rows))
            tx.announce(MessagesExpired(ids, sequence.raise_first_id(tx, first_id)))
            tx.announce(ContentErased(store.file_names(row[1:] for row in rows)))

    def would_erase(self, tx: Transaction, config: Config) -> int:
        """How many messages would be erased under these settings, deleted ones not counted."""
        first_id = _oldest_to_keep(tx, config.history_limit, self.aging_now_ms(tx) - config.history_ms)
        (count,) = tx.one("SELECT count(*) FROM messages WHERE id < ? AND state <> 'deleted'", (first_id,))
        return int(count)

    TIMERS = (
        Timer(
            "expiry",
            next_expiry,
            expire,
            {
                MessagePosted: lambda expiry, event: event.message.created_ms + expiry._settings.now.history_ms,
                # Look again: messages may be kept for a shorter time now.
                SettingsChanged: lambda expiry, event: expiry._clock.now_ms(),
            },
        ),
    )


def _oldest_to_keep(tx: Transaction, limit: int, since_ms: int) -> int:
    """The id below which every message goes: beyond the newest `limit`, or older than `since_ms`.

    Deleted messages do not count. The id after the newest message when none is to stay.
    """
    within_count = tx.execute(
        "SELECT id FROM messages WHERE state <> 'deleted' ORDER BY id DESC LIMIT 1 OFFSET ?", (limit - 1,)
    ).fetchone()
    # Ids grow with time, so the old messages are the first ones; a clock that was set back cannot change that.
    # `+` keeps SQLite from walking all rows from the newest back to find the first that is old.
    newest_old = tx.execute("SELECT max(+id) FROM messages WHERE created_ms <= ?", (since_ms,)).fetchone()[0] or 0
    return max(within_count[0] if within_count else 0, newest_old + 1)
