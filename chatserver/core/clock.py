"""Time, as the rules see it: handed in, so that a test can move it."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import Protocol

# Linux counts the time that the machine slept in a clock of its own (clock_gettime(2)).
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall time in Unix milliseconds: for deadlines that outlive the process."""

    def monotonic(self) -> float:
        """Seconds that never jump: for intervals within the process."""

    def boot(self) -> str:
        """What `monotonic` counts from: the name of this boot of the machine; "" where that is not known."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.clock_gettime(_STEADY)

    def boot(self) -> str:
        return _boot()


@functools.cache
def _boot() -> str:
    # A unit that may not see the kernel's files in /proc is told by its manager: systemd's %b.
    named = os.environ.get("BOOT_ID", "")
    try:
        return named or Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    except OSError:
        return ""
