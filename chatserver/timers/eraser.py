"""Makes content that left the database leave the disk: its files, and the write-ahead log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

from chatserver.events import ContentErased, Event

log = logging.getLogger(__name__)

# The log is emptied so long after the first erasure: soon enough for the promise of 10 s, and one
# emptying serves all that is erased meanwhile.
DELAY_SECONDS = 3.0
RETRY_SECONDS = 2.0


class Eraser:
    def __init__(
        self,
        erase_files: Callable[[Iterable[str]], Awaitable[None]],
        empty_log: Callable[[], Awaitable[None]],
    ) -> None:
        self._erase_files = erase_files
        self._empty_log = empty_log
        self._files: set[str] = set()
        self._woken = asyncio.Event()

    def heed(self, event: Event) -> None:
        if isinstance(event, ContentErased):
            self._files.update(event.files)
            self._woken.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Starts by emptying the log, for what was erased just before a crash; ends with nothing left to do."""
        self._woken.set()
        task = asyncio.create_task(self._run(), name="eraser")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            try:
                await self._erase()
            except Exception:  # a full disk must not spoil the ending; the next start tries again
                log.exception("erasing failed; the next start tries again")

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._erase_now()
                await asyncio.sleep(DELAY_SECONDS)
                await self._erase()
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("erasing failed; trying again")
                self._woken.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _erase(self) -> None:
        await self._erase_now()
        await self._empty_log()

    async def _erase_now(self) -> None:
        files = set(self._files)
        if files:
            await self._erase_files(files)
            self._files -= files
