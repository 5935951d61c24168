"""How old messages are, though somebody may set the clock.

Messages carry the wall clock's time. Were it believed at once, a wrong battery or a mistyped date
that puts it two days ahead would erase everything at the next commit, and setting it right would
bring nothing back. So its movement is held against the machine's steady clock, which nobody sets.

A *leap* is the wall clock moving LEAP_MS further ahead than the time that has passed. From then on
messages age by the wall clock less the leap, until a whole history's length has passed. By then what
was said before the leap is truly too old, and what was said since carries the new time: the wall
clock can be believed, whether the leap was the mistake or its correction: each message goes when its
time has come, no sooner and no later. A clock that is set back takes a leap back with it; without one
it makes messages stay longer, by as much as it was set back, and never go sooner.

Across a restart the mark in the database tells the same, as long as the machine has not been booted
since. After a boot nothing tells how long it was off, and the wall clock is believed: a machine that
was in a cupboard for a week must not show last week's talk.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from chatserver.core.clock import Clock
from chatserver.db.transaction import Transaction
from chatserver.features.messages import clock_state
from chatserver.features.messages.clock_state import ClockState

log = logging.getLogger(__name__)

# What a time server corrects in a step on a machine that keeps time at all is far less.
LEAP_MS = 5 * 60_000
# The mark is written with some commit about so often: clocks drift apart by less than LEAP_MS meanwhile.
WRITE_MS = 10 * 60_000


class ClockSkew:
    """Used in the database's thread, and on a copy of the database by whoever tidies that."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mark: ClockState | None = None
        self._written: ClockState | None = None

    @property
    def behind_ms(self) -> int:
        """By how much messages now age behind the wall clock."""
        return self._mark.behind_ms if self._mark else 0

    def now_ms(self, tx: Transaction, history_ms: int) -> int:
        """The time by which messages are old or not. Keeps the mark in the database up to date."""
        if self._mark is None:
            self._mark = self._written = self._of_this_boot(clock_state.read(tx))
        now = self._look(self._mark, history_ms)
        if now.behind_ms > self.behind_ms:
            log.warning(
                "the system clock jumped %d minutes ahead; message ages are calculated without the jump",
                (now.behind_ms - self.behind_ms) // 60_000,
            )
        self._mark = now
        if self._is_due(now):
            before = self._written
            self._written = now
            tx.on_rollback(lambda: setattr(self, "_written", before))
            clock_state.put(tx, now)
        return now.wall_ms - now.behind_ms

    def _look(self, before: ClockState | None, history_ms: int) -> ClockState:
        wall_ms, steady_ms = self._clock.now_ms(), round(self._clock.monotonic() * 1000)
        if before is None:
            return ClockState(self._clock.boot(), wall_ms, steady_ms)
        ahead_ms = (wall_ms - before.wall_ms) - (steady_ms - before.steady_ms)
        behind_ms, leapt_ms = before.behind_ms, before.leapt_ms
        if ahead_ms > LEAP_MS:
            behind_ms, leapt_ms = behind_ms + ahead_ms, steady_ms
        elif ahead_ms < -LEAP_MS:
            behind_ms = max(0, behind_ms + ahead_ms)
        if steady_ms - leapt_ms >= history_ms:
            behind_ms = 0
        return replace(before, wall_ms=wall_ms, steady_ms=steady_ms, behind_ms=behind_ms, leapt_ms=leapt_ms)

    def _of_this_boot(self, mark: ClockState | None) -> ClockState | None:
        """The mark, if the steady clock still counts from where it did."""
        return mark if mark and mark.boot and mark.boot == self._clock.boot() else None

    def _is_due(self, mark: ClockState) -> bool:
        written = self._written
        return written is None or mark.behind_ms != written.behind_ms or mark.steady_ms - written.steady_ms >= WRITE_MS
