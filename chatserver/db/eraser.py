"""Makes content that left the database leave the disk: its files, and what is left of it in the database's own.

For the latter the whole database is written anew, which holds up whoever posts meanwhile: 4 ms for
100 messages, 0.4 s for 100,000. So it is done in proportion to what it costs. What somebody took back
is gone within the 10 s that they were promised, whatever that costs; what has merely expired, which in
a busy room something does with every message, waits until writing takes half a per cent of the time, but never
longer than a minute. Files go at once in either case.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from chatserver.core.events import ContentErased, Event, MessageDeleted, MessageRecalled

log = logging.getLogger(__name__)

# One writing serves all that is erased meanwhile.
DELAY_SECONDS = 3.0
RETRY_SECONDS = 2.0
# How long the next writing waits, in times what the last one took; and at most.
PROMISED_TIMES, PROMISED_SECONDS_MAX = 20.0, 6.0
EXPIRED_TIMES, EXPIRED_SECONDS_MAX = 200.0, 60.0


class Eraser:
    def __init__(
        self,
        erase_files: Callable[[Iterable[str]], Awaitable[None]],
        vacuum: Callable[[], Awaitable[None]],
    ) -> None:
        self._erase_files = erase_files
        self._vacuum = vacuum
        self._files: set[str] = set()
        self._woken = asyncio.Event()
        # When to write anew, in `time.monotonic` seconds; when that was last done, and how long it took.
        self._due = math.inf
        self._written, self._cost = -math.inf, 0.0

    def on_event(self, event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, MessageRecalled | MessageDeleted):
            self._until(now + _between(DELAY_SECONDS, PROMISED_TIMES * self._cost, PROMISED_SECONDS_MAX))
        elif isinstance(event, ContentErased):
            if event.files:
                self._files.update(event.files)
                self._woken.set()
            pause = _between(DELAY_SECONDS, EXPIRED_TIMES * self._cost, EXPIRED_SECONDS_MAX)
            self._until(max(now + DELAY_SECONDS, self._written + pause))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Starts by writing anew, for what was erased just before a crash; ends with nothing left to do."""
        self._until(time.monotonic() + DELAY_SECONDS)
        task = asyncio.create_task(self._run(), name="eraser")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            try:
                await self._erase()
            except Exception:  # a full disk must not spoil the ending; the next start tries again
                log.exception("erasing failed; retrying at the next start")

    def _until(self, due: float) -> None:
        if due < self._due:  # in a busy room something expires with every message: most change nothing here
            self._due = due
            self._woken.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._woken.wait()
                await self._wait_until_due()
                await self._erase()
            except Exception:
                log.exception("erasing failed; retrying")
                await asyncio.sleep(RETRY_SECONDS)
                self._due = time.monotonic()
                self._woken.set()

    async def _wait_until_due(self) -> None:
        """Each time that something is erased its files go, and the wait may become shorter."""
        while (left := self._due - time.monotonic()) > 0:
            self._woken.clear()
            await self._erase_now()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._woken.wait()
        self._woken.clear()

    async def _erase(self) -> None:
        self._due = math.inf  # first: what is erased from now on may come too late for this writing
        await self._erase_now()
        begun = time.monotonic()
        await self._vacuum()
        self._written = time.monotonic()
        self._cost = self._written - begun

    async def _erase_now(self) -> None:
        files = set(self._files)
        if files:
            await self._erase_files(files)
            self._files -= files


def _between(least: float, wanted: float, most: float) -> float:
    return min(max(least, wanted), most)
