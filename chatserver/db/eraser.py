"""Removes erased content from the disk: its files at once, its rows by a VACUUM (for when, see vacuum_schedule.py)."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress

from chatserver.core.events import ContentErased
from chatserver.db import vacuum_schedule
from chatserver.db.vacuum_schedule import VacuumSchedule

log = logging.getLogger(__name__)

# The time until the next attempt after a failure (for example a full disk).
RETRY_SECONDS = 2.0


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
        # When the next VACUUM is due, in `time.monotonic` seconds.
        self._due = math.inf
        self._schedule = VacuumSchedule()

    def on_erased(self, event: ContentErased) -> None:
        if event.files:
            self._files.update(event.files)
            self._woken.set()
        self._until(self._schedule.due(time.monotonic(), event.is_urgent))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Erase content until the block ends. The first VACUUM is due at once, because content may have been erased
        just before a crash.

        At the end, all content that was erased meanwhile is removed from the disk.
        """
        self._until(time.monotonic() + vacuum_schedule.DELAY_SECONDS)
        task = asyncio.create_task(self._run(), name="eraser")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            try:
                await self._erase()
            except Exception:  # a full disk must not stop the shutdown
                log.exception("erasing failed; retrying at the next start")

    def _until(self, due: float) -> None:
        if due < self._due:  # in a busy room most events do not bring the due time nearer
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
        """Wait until VACUUM is due, and delete erased files meanwhile. Each event may bring the due time nearer."""
        while (left := self._due - time.monotonic()) > 0:
            self._woken.clear()
            await self._delete_files()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._woken.wait()
        self._woken.clear()

    async def _erase(self) -> None:
        # Set before the VACUUM starts, because the VACUUM may miss content that is erased from now on.
        self._due = math.inf
        await self._delete_files()
        begun = time.monotonic()
        await self._vacuum()
        self._schedule.record(begun, time.monotonic())

    async def _delete_files(self) -> None:
        files = set(self._files)
        if files:
            await self._erase_files(files)
            self._files -= files
