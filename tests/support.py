"""Shared by many tests: a clock that a test moves, a Config to change, and `eventually`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from chatserver.core import config

T = TypeVar("T")

# 2026-11-22 14:36:00 in Shanghai.
START_MS = 1_795_329_360_000


class FakeClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._monotonic = 1000.0

    def now_ms(self) -> int:
        return self._now_ms

    def now_ns(self) -> int:
        return self._now_ms * 1_000_000

    def monotonic(self) -> float:
        return self._monotonic

    def boot_id(self) -> str:
        return "boot 1"

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += round(seconds * 1000)
        self._monotonic += seconds

    def set_wall(self, now_ms: int) -> None:
        """Set the wall clock; no time passes."""
        self._now_ms = now_ms


def make_config(data_dir: Path, **settings: Any) -> config.Config:
    """The default Config on a free port, with cheap hashes. `settings` are typed as on the command line."""
    typed = {"data_dir": data_dir, "port": 0, "bcrypt_rounds": 4, **settings}
    loaded, _ = config.load({name: str(value) for name, value in typed.items()}, {})
    return loaded


async def eventually(probe: Callable[[], T | Coroutine[Any, Any, T]], what: str = "") -> T:
    """Call `probe`, which may be a coroutine function, until its answer is true. Returns the answer. Fails after 2
    minutes."""
    deadline = asyncio.get_running_loop().time() + 120
    while not (found := await _answer(probe())):
        assert asyncio.get_running_loop().time() < deadline, what or "it never came to be"
        await asyncio.sleep(0.01)
    return found


async def _answer(answer: T | Coroutine[Any, Any, T]) -> T:
    return await answer if isinstance(answer, Coroutine) else answer


def no_orders(*_: object) -> None:
    """For recall and delete in tests without orders: no message belongs to an order."""
