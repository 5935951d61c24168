"""Time, as the rules see it: handed in, so that a test can move it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall time in Unix milliseconds: for deadlines that outlive the process."""

    def monotonic(self) -> float:
        """Seconds that never jump: for intervals within the process."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()
