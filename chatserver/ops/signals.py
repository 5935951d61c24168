"""Makes SIGTERM and SIGHUP raise an exception, as Ctrl-C does, so that operator commands clean up after themselves."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_RAISING = (signal.SIGTERM, signal.SIGHUP)
_POSTPONED = (*_RAISING, signal.SIGINT)
# The exit code of a command that a signal ended is this plus the signal's number, as in a shell.
_EXIT_BASE = 128


@contextlib.contextmanager
def raise_on_signal() -> Iterator[None]:
    """In the block, SIGTERM and SIGHUP raise SystemExit in the main thread, so that every `finally` runs."""
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
    """In the block, no signal raises an exception. Signals that were received are raised again at its end.

    This uses handlers and not a signal mask. A mask is valid for one thread only: the kernel would give the signal to
    another thread of the process, and Python would run the handler in the main thread anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # handlers run only in the main thread
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
