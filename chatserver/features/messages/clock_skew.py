"""The age of messages when the wall clock is set.

Messages carry the wall clock's time. If it were trusted at once, a wrong date two days ahead would
erase all messages at the next commit, and correcting it would bring nothing back. So the wall clock is
compared with the machine's monotonic clock, which cannot be set.

A *jump* is a movement of the wall clock by more than JUMP_MS ahead of the time that has passed. From
then on messages age by the wall clock less the jump, until a whole history's length has passed. By
then, what was posted before the jump is too old in any case, and what was posted since carries the new
time: the wall clock can be trusted, whether the jump was an error or its correction. A clock that is
set back takes a jump back with it; without one, messages are kept longer by as much, never shorter.

Across a restart the row in the database tells the same, as long as the machine has not been booted
since. After a boot it is unknown how long the machine was off, and the wall clock is trusted: a
machine that was off for a week must not show last week's messages.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from chatserver.core.clock import Clock
from chatserver.db.transaction import Transaction

log = logging.getLogger(__name__)

# More than a time server corrects in one step on a machine that keeps time.
JUMP_MS = 5 * 60_000
# The row is written with a commit this often: in that time the two clocks drift apart by less than JUMP_MS.
WRITE_MS = 10 * 60_000


class ClockState(NamedTuple):
    """The one row of `clock`. `boot` is the machine's boot that `steady_ms` and `leapt_ms` count from.

    Messages age by the wall clock less `behind_ms`, since the wall clock jumped at `leapt_ms`.
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
        self._state: ClockState | None = None
        self._written: ClockState | None = None

    @property
    def behind_ms(self) -> int:
        """By how much messages age behind the wall clock now."""
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

    def _next(self, before: ClockState | None, history_ms: int) -> ClockState:
        wall_ms, steady_ms = self._clock.now_ms(), round(self._clock.monotonic() * 1000)
        if before is None:
            return ClockState(self._clock.boot_id(), wall_ms, steady_ms)
        ahead_ms = (wall_ms - before.wall_ms) - (steady_ms - before.steady_ms)
        behind_ms, leapt_ms = before.behind_ms, before.leapt_ms
        if ahead_ms > JUMP_MS:
            behind_ms, leapt_ms = behind_ms + ahead_ms, steady_ms
        elif ahead_ms < -JUMP_MS:
            behind_ms = max(0, behind_ms + ahead_ms)
        if steady_ms - leapt_ms >= history_ms:
            behind_ms = 0
        return ClockState(before.boot, wall_ms, steady_ms, behind_ms, leapt_ms)

    def _of_this_boot(self, state: ClockState | None) -> ClockState | None:
        """The state, if the monotonic clock still counts from the same boot."""
        return state if state and state.boot and state.boot == self._clock.boot_id() else None


def _read(tx: Transaction) -> ClockState | None:
    row = tx.one("SELECT boot, wall_ms, steady_ms, behind_ms, leapt_ms FROM clock")
    return ClockState(*row) if row else None


def _write(tx: Transaction, state: ClockState) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO clock (id, boot, wall_ms, steady_ms, behind_ms, leapt_ms) VALUES (1, ?, ?, ?, ?, ?)",
        state,
    )
