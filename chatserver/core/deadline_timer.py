"""Sleep until the nearest deadline, act, look for the next one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chatserver.core.clock import Clock

log = logging.getLogger(__name__)

# A sleep never lasts longer, so that a wall clock that was set is noticed, and a deadline of which
# no event tells (a new login's).
NAP_SECONDS = 30.0
# Deadlines this close together are rung for once: a busy room has thousands of them a second.
GRAIN_SECONDS = 0.2
# After a failure (a full disk, say) the next try waits so long, then twice as long, up to a nap.
RETRY_SECONDS = 0.5


class DeadlineTimer:
    """One kind of deadline. The deadlines themselves are rows; `nearest` reads them, `ring` acts.

    `ring` must ask the time again: it may be called too early, never too late without trying.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        nearest: Callable[[], Awaitable[int | None]],
        ring: Callable[[], Awaitable[None]],
    ) -> None:
        self.name = name
        self._clock = clock
        self._nearest = nearest
        self._on_deadline = ring
        self._due: int | None = None
        self._woken = asyncio.Event()

    def wake_by(self, due_ms: int) -> None:
        """A deadline was set; wake up for it if it is nearer than the one slept for."""
        if self._due is None or due_ms < self._due:
            self._due = due_ms
            self._woken.set()

    async def run(self) -> None:
        """Until cancelled. What fell due while nobody was looking is settled at once."""
        pause = RETRY_SECONDS
        while True:
            try:
                await self._step()
                pause = RETRY_SECONDS
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("%s timer failed; retrying in %.1f s", self.name, pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, NAP_SECONDS)

    async def _step(self) -> None:
        self._woken.clear()
        self._due = None
        due = await self._nearest()
        # A deadline set while the nearest was being read is in `_due`; the nearer of the two counts.
        if due is not None:
            self._due = due if self._due is None else min(self._due, due)
        if self._due is not None and self._due <= self._clock.now_ms():
            await self._on_deadline()
            await asyncio.sleep(GRAIN_SECONDS)
            return
        wait = NAP_SECONDS
        if self._due is not None:
            wait = min((self._due - self._clock.now_ms()) / 1000, wait)
        try:
            async with asyncio.timeout(max(wait, 0.001)):
                await self._woken.wait()
        except TimeoutError:
            pass
