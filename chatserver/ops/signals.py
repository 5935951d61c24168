"""Operator's commands that are ended by a signal clean up: SIGTERM and SIGHUP raise, as Ctrl-C does."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_RAISING = (signal.SIGTERM, signal.SIGHUP)
_POSTPONED = (*_RAISING, signal.SIGINT)
# As a shell reports a command that a signal ended.
_EXIT_BASE = 128


@contextlib.contextmanager
def raise_on_signal() -> Iterator[None]:
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
def defer_signals() -> Iterator[None]:
    """Within the block no signal raises: those that came act at its end.

    By handlers, not by a signal mask: a mask is a thread's own, and the kernel gives the signal to any other
    thread of the process, for which Python runs the handler in the main thread all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run in the main thread alone
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _POSTPONED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)


def _end(number: int, _: FrameType | None) -> None:
    raise SystemExit(_EXIT_BASE + number)
