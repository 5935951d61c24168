"""When VACUUM runs after content was erased: the longer the last VACUUM took, the later the next one runs.

VACUUM blocks the queue: 4 ms for 100 messages, 0.4 s for 100,000. Content that a member recalled or deleted is gone
within the promised 10 s, at any cost. For expired content (in a busy room some expires with every message) VACUUM may
take 0.5 % of the time, and runs at least once a minute.
"""

from __future__ import annotations

import math

from chatserver.core import tuning

# The minimum wait, so that one VACUUM removes all content that is erased during it.
DELAY_SECONDS = 3.0
# How long the next VACUUM waits, as a multiple of the time that the last VACUUM took; and the maximum.
URGENT_FACTOR, URGENT_SECONDS_MAX = 20.0, 6.0
EXPIRED_FACTOR, EXPIRED_SECONDS_MAX = 200.0, 60.0


class VacuumSchedule:
    """All times are in seconds of `time.monotonic`."""

    def __init__(self) -> None:
        self._ended = -math.inf
        self._cost = 0.0

    def due(self, now: float, is_urgent: bool) -> float:
        """When to run VACUUM for content that was erased at `now`."""
        if not tuning.ENABLED:
            return now + DELAY_SECONDS
        pause = _between(DELAY_SECONDS, EXPIRED_FACTOR * self._cost, EXPIRED_SECONDS_MAX)
        due = max(now + DELAY_SECONDS, self._ended + pause)
        if is_urgent:
            due = min(due, now + _between(DELAY_SECONDS, URGENT_FACTOR * self._cost, URGENT_SECONDS_MAX))
        return due

    def record(self, begun: float, ended: float) -> None:
        """Record a VACUUM that ran."""
        self._ended, self._cost = ended, ended - begun


def _between(least: float, wanted: float, most: float) -> float:
    return min(max(least, wanted), most)
