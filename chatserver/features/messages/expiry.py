"""Expiry: erase the messages that are too old, or beyond the count that is kept. Decide how old a message is.

Messages carry the wall clock's time. If it were trusted at once, a wrong date two days ahead would
erase all messages at the next commit, and correcting it would bring nothing back. So the wall clock is
compared with the machine's monotonic clock, which cannot be set.

A *jump* is a movement of the wall clock by more than JUMP_MS ahead of the time that has passed. From
then on messages age by the wall clock minus the jump, until a whole history's length has passed. By
then, each message from before the jump is too old in any case, and each later message carries the new
time, so that the wall clock can be trusted, whether the jump was an error or its correction. If the clock
is set back, the jump becomes smaller; without a jump, messages are kept longer by as much, never shorter.

After a restart the row in the database gives the same information, if the machine has not been booted
since. After a boot it is unknown how long the machine was off. Then the wall clock is trusted, because
a machine that was off for a week must not show last week's messages.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import NamedTuple

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.config import Config, CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.events import ContentErased, Event
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store
from chatserver.features.messages.post import MessagePosted
from chatserver.features.settings.settings import SettingsChanged

log = logging.getLogger(__name__)

# More than the correction that a time server makes in one step on a machine whose clock is about right.
JUMP_MS = 5 * 60_000
# The interval at which a commit writes the row. The two clocks drift apart by less than JUMP_MS in this time.
WRITE_MS = 10 * 60_000


@dataclass(frozen=True, slots=True)
class MessagesExpired(Event):
    """The messages `ids` were erased. Every message below `first_id` is erased now."""

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
        """By how many ms `aging_now_ms` is behind the wall clock now: see ClockSkew."""
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
            tx.announce(ContentErased(store.file_names([row[1:] for row in rows if row[1]])))

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
                # Read the deadline again, because messages may be kept for a shorter time now.
                SettingsChanged: lambda expiry, event: expiry._clock.now_ms(),
            },
        ),
    )


def _oldest_to_keep(tx: Transaction, limit: int, since_ms: int) -> int:
    """The id below which every message is erased, because it is beyond the newest `limit` or older than `since_ms`.

    Deleted messages do not count. If no message stays, it is the id after the newest message.
    """
    within_count = tx.execute(
        "SELECT id FROM messages WHERE state <> 'deleted' ORDER BY id DESC LIMIT 1 OFFSET ?", (limit - 1,)
    ).fetchone()
    # Ids grow with time, so the old messages are the first ones; a clock that was set back cannot change that.
    # `+` prevents SQLite from reading all rows backwards, from the newest row to the first old row.
    newest_old = tx.execute("SELECT max(+id) FROM messages WHERE created_ms <= ?", (since_ms,)).fetchone()[0] or 0
    return max(within_count[0] if within_count else 0, newest_old + 1)


class _ClockState(NamedTuple):
    """The one row of `clock`. `boot` is the machine's boot that `steady_ms` and `leapt_ms` count from.

    Messages age by the wall clock minus `behind_ms`, because the wall clock jumped at `leapt_ms`.
    """

    boot: str
    wall_ms: int
    steady_ms: int
    behind_ms: int = 0
    leapt_ms: int = 0


class ClockSkew:
    """Used in the database's thread, and on a copy of the database that is made for a backup."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state: _ClockState | None = None
        self._written: _ClockState | None = None

    @property
    def behind_ms(self) -> int:
        """By how many ms the time of `now_ms` is behind the wall clock now."""
        return self._state.behind_ms if self._state else 0

    def now_ms(self, tx: Transaction, history_ms: int) -> int:
        """The time by which the age of messages is judged, in Unix ms. Keeps the row up to date."""
        before = self._state
        if before is None:
            before = self._state = self._written = self._of_this_boot(_read(tx))
        now = self._next(before, history_ms)
        behind_before_ms = before.behind_ms if before else 0
        if now.behind_ms > behind_before_ms:
            log.warning(
                "the system clock jumped %d minutes ahead; message ages are calculated without the jump",
                (now.behind_ms - behind_before_ms) // 60_000,
            )
        self._state = now
        written = self._written
        if written is None or now.behind_ms != written.behind_ms or now.steady_ms - written.steady_ms >= WRITE_MS:
            self._written = now
            tx.on_rollback(lambda: setattr(self, "_written", written))
            _write(tx, now)
        return now.wall_ms - now.behind_ms

    def _next(self, before: _ClockState | None, history_ms: int) -> _ClockState:
        wall_ms, steady_ms = self._clock.now_ns() // 1_000_000, round(self._clock.monotonic() * 1000)
        if before is None:
            return _ClockState(self._clock.boot_id(), wall_ms, steady_ms)
        ahead_ms = (wall_ms - before.wall_ms) - (steady_ms - before.steady_ms)
        behind_ms, leapt_ms = before.behind_ms, before.leapt_ms
        if ahead_ms > JUMP_MS:
            behind_ms, leapt_ms = behind_ms + ahead_ms, steady_ms
        elif ahead_ms < -JUMP_MS:
            behind_ms = max(0, behind_ms + ahead_ms)
        if steady_ms - leapt_ms >= history_ms:
            behind_ms = 0
        return _ClockState(before.boot, wall_ms, steady_ms, behind_ms, leapt_ms)

    def _of_this_boot(self, state: _ClockState | None) -> _ClockState | None:
        """The state, if the monotonic clock still counts from the same boot."""
        return state if state and state.boot and state.boot == self._clock.boot_id() else None


def _read(tx: Transaction) -> _ClockState | None:
    row = tx.one("SELECT boot, wall_ms, steady_ms, behind_ms, leapt_ms FROM clock")
    return _ClockState(*row) if row else None


def _write(tx: Transaction, state: _ClockState) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO clock (id, boot, wall_ms, steady_ms, behind_ms, leapt_ms) VALUES (1, ?, ?, ?, ?, ?)",
        state,
    )
