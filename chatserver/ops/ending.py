"""Operator's commands that are ended by a signal clean up: SIGTERM and SIGHUP raise, as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_RAISING = (signal.SIGTERM, signal.SIGHUP)
# As a shell reports a command that a signal ended.
_EXIT_BASE = 128


@contextlib.contextmanager
def by_exception() -> Iterator[None]:
    """Within the block these signals raise SystemExit in the main thread, so that every `finally` runs."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; it has set them already
        return
    before = {number: signal.signal(number, _end) for number in _RAISING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def postponed() -> Iterator[None]:
    """Within the block no signal ends this thread: those that came act at its end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (*_RAISING, signal.SIGINT))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(_EXIT_BASE + number)
