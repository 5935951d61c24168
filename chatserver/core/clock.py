"""The clock that the features use. It is passed to them, so that a test can move the time."""

from __future__ import annotations

import functools
import os
import time
from pathlib import Path
from typing import Protocol

# CLOCK_BOOTTIME (Linux, clock_gettime(2)) also counts the time while the machine was suspended.
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall time in Unix milliseconds. Use it for deadlines that must survive a restart."""

    def now_ns(self) -> int:
        """Wall time in Unix nanoseconds."""

    def monotonic(self) -> float:
        """Seconds on a clock that does not jump when the operator or NTP sets the wall clock. Use it for intervals
        within the process."""

    def boot_id(self) -> str:
        """The id of this boot of the machine, from which `monotonic` counts; "" if unknown."""


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    # Called for each message, so these are C functions without a Python method around them.
    now_ns = staticmethod(time.time_ns)
    monotonic = staticmethod(functools.partial(time.clock_gettime, _MONOTONIC))

    def boot_id(self) -> str:
        return _read_boot_id()


@functools.cache
def _read_boot_id() -> str:
    # With ProcSubset=pid the service cannot read /proc/sys; the unit file sets BOOT_ID to %b (systemd.unit(5)).
    boot_id = os.environ.get("BOOT_ID", "")
    try:
        return boot_id or Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")
    except OSError:
        return ""
