"""Timers for deadlines that are stored in the database: sleep until the nearest deadline, act, read the next one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

from chatserver.core.clock import Clock
from chatserver.core.events import Event

log = logging.getLogger(__name__)

# The longest sleep. The timer reads the deadlines again after it, because the wall clock may have been set, and because
# some deadlines (of a new session) are set without an event.
SLEEP_MAX_SECONDS = 30.0
# The pause after each action, so that one action handles all deadlines of that time: a busy room has thousands a
# second.
MIN_PAUSE_SECONDS = 0.2
# The pause after a failure (for example a full disk). Each further failure doubles it, up to SLEEP_MAX_SECONDS.
RETRY_SECONDS = 0.5


class Timer(NamedTuple):
    """One kind of deadline, as a feature declares it. All functions are methods of the feature.

    `nearest` reads the nearest deadline in Unix ms, and `act` handles all deadlines that have passed. `wakes_on` maps a
    class of event to a function `(feature, event)`, or to an `attrgetter` of the event (for events that come with each
    message). It returns the deadline in Unix ms that the event sets, or None.
    """

    name: str
    nearest: Callable[..., Awaitable[int | None]]
    act: Callable[..., Awaitable[None]]
    wakes_on: Mapping[type[Event], Callable[[Any, Any], int | None] | attrgetter[int]] = MappingProxyType({})


class DeadlineTimer:
    """Runs one kind of deadline. The deadlines are stored in rows.

    `nearest` reads the nearest deadline, and `act` handles all deadlines that have passed. `act` must read the time
    again, because it may be called too early.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        nearest: Callable[[], Awaitable[int | None]],
        act: Callable[[], Awaitable[None]],
    ) -> None:
        self.name = name
        self._clock = clock
        self._nearest = nearest
        self._act = act
        self._due: int | None = None
        self._woken = asyncio.Event()

    def woken_by(self, deadline: Callable[[Any], int | None]) -> Callable[[Any], None]:
        """Make a listener for events that set a deadline: `deadline(event)` returns it in Unix ms, or None."""

        def on_event(event: Event) -> None:
            due_ms = deadline(event)
            if due_ms is not None and (self._due is None or due_ms < self._due):
                self.wake_by(due_ms)

        return on_event

    def wake_by(self, due_ms: int) -> None:
        """Wake the timer at `due_ms` (Unix ms), if that is before the deadline that it waits for."""
        if self._due is None or due_ms < self._due:
            self._due = due_ms
            self._woken.set()

    async def run(self) -> None:
        """Run until cancelled. Deadlines that passed before the start are handled at once."""
        pause = RETRY_SECONDS
        while True:
            try:
                await self._step()
                pause = RETRY_SECONDS
            except Exception:
                log.exception("the %s timer failed; next attempt in %.1f s", self.name, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, SLEEP_MAX_SECONDS)

    async def _step(self) -> None:
        self._woken.clear()
        self._due = None
        due = await self._nearest()
        # A deadline that was set while `_nearest` ran is in `_due`; the nearer of the two counts.
        if due is not None:
            self._due = due if self._due is None else min(self._due, due)
        if self._due is not None and self._due <= self._clock.now_ms():
            await self._act()
            await asyncio.sleep(MIN_PAUSE_SECONDS)
            return
        wait = SLEEP_MAX_SECONDS
        if self._due is not None:
            wait = min((self._due - self._clock.now_ms()) / 1000, wait)
        try:
            async with asyncio.timeout(max(wait, 0.001)):
                await self._woken.wait()
        except TimeoutError:
            pass


@asynccontextmanager
async def running_timers(timers: Sequence[DeadlineTimer]) -> AsyncIterator[None]:
    """Run each timer in a task of its own until the block ends."""
    tasks = [asyncio.create_task(timer.run(), name=f"{timer.name} timer") for timer in timers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
