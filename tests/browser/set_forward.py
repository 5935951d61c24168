"""A server whose clocks a test can move; it starts as run.py does: `python -m tests.browser.set_forward serve`.

Each SIGUSR1 moves the wall clock and the monotonic clock by STEP_SECONDS.
"""

from __future__ import annotations

import signal
import sys

from chatserver.core import deadline_timer
from chatserver.core.clock import SystemClock
from chatserver.ops import serve

PROGRAM = ("-m", "tests.browser.set_forward")
STEP_SECONDS = 300
# Wake the timers, so that they read the clock again.
NAP_SECONDS = 0.2


class SetForward(SystemClock):
    steps = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.steps * STEP_SECONDS * 1000

    def monotonic(self) -> float:  # type: ignore[override]
        return SystemClock.monotonic() + self.steps * STEP_SECONDS

    @classmethod
    def on_signal(cls, number: int, frame: object) -> None:
        cls.steps += 1


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, SetForward.on_signal)
    serve.SystemClock = SetForward  # type: ignore[misc]
    deadline_timer.SLEEP_MAX_SECONDS = NAP_SECONDS

    from chatserver.cli import main

    sys.exit(main())
