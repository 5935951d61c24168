"""WebP copies of stored AVIF pictures, for browsers that do not read AVIF (those of iOS 15 and older).

The image workers make a copy when the first such browser requests it. It is stored beside its original under the same
key. No database row names it: `MediaFiles.erase` removes it with its original, and `MediaFiles.sweep` at each start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.files import MediaFiles, copy_name
from chatserver.media.workers import ImageWorkers

# In the workers' queue all copies have the same owner, so that one copy is made at a time and uploads do not wait.
_OWNER = "webp copies"


class WebpCopies:
    """Makes copies on request. `limit_bytes` returns the size limit of a copy."""

    def __init__(self, files: MediaFiles, workers: ImageWorkers, limit_bytes: Callable[[], int]) -> None:
        self._files = files
        self._workers = workers
        self._limit_bytes = limit_bytes
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def path(self, name: str) -> Path:
        """The path of the WebP copy of the AVIF `name`. Makes the copy if there is none yet.

        Raises DomainError: `not_found` (there is no such picture), `busy` (too many copies wait), `storage_full`.
        """
        path = self._files.path(copy_name(name))
        assert path is not None
        if not await asyncio.to_thread(path.is_file):
            await self._made(name.replace(".thumb.", "."))
            if not await asyncio.to_thread(path.is_file):
                raise DomainError(ErrorCode.NOT_FOUND)
        return path

    async def _made(self, name: str) -> None:
        """Make the copy once for all waiting requests. Continues if the clients disconnect: they will ask again."""
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.create_task(self._make(name), name="WebP copy of a picture")
            self._under_way[name] = task
            task.add_done_callback(lambda done: self._forget(name, done))
        await asyncio.shield(task)

    async def _make(self, name: str) -> None:
        original = self._files.path(name)
        if original is None or not await asyncio.to_thread(original.is_file):
            raise DomainError(ErrorCode.NOT_FOUND)
        rendered = await self._workers.webp_copy(original, self._limit_bytes(), _OWNER)
        await self._files.store_copies(name, rendered)

    def _forget(self, name: str, task: asyncio.Task[None]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # the waiting requests get it; without this call asyncio would log it as never retrieved
