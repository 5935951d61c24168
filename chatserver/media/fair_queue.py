"""A queue for a few slots in which owners take turns, so that one owner's many jobs delay only its own."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from chatserver.core.errors import DomainError, ErrorCode

RETRY_AFTER_MS = 2000


class FairQueue:
    """Runs at most `slots` jobs at a time, and at most one job of each owner. Waiting owners are served round robin.

    At most `waiting_max` jobs wait, and at most `waiting_of_one_max` jobs of one owner.
    """

    def __init__(self, slots: int, waiting_max: int, waiting_of_one_max: int) -> None:
        self._free = slots
        self._waiting_max = waiting_max
        self._waiting_of_one_max = waiting_of_one_max
        self._at_work: set[Hashable] = set()
        # Each owner in this dict has at least one job waiting. The owner that was served longest ago comes first.
        self._lines: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._waiting = 0
        self._is_closed = False
        self._all_done = asyncio.Event()

    @asynccontextmanager
    async def turn(self, owner: Hashable) -> AsyncIterator[None]:
        """Hold a slot for the length of the block. Raises DomainError: `busy` when too many wait, or when closed."""
        await self._acquire(owner)
        try:
            yield
        finally:
            self._release(owner)

    async def close(self) -> None:
        """Refuse waiting and new jobs; return when no job is running."""
        self._is_closed = True
        for line in self._lines.values():
            for future in line:
                if not future.done():
                    future.set_exception(busy())
        self._lines.clear()
        self._waiting = 0
        while self._at_work:
            self._all_done.clear()
            await self._all_done.wait()

    async def _acquire(self, owner: Hashable) -> None:
        if self._is_closed:
            raise busy()
        if self._free and owner not in self._at_work:
            self._start(owner)
            return
        if self._waiting >= self._waiting_max or len(self._lines.get(owner, ())) >= self._waiting_of_one_max:
            raise busy()
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(owner, deque()).append(future)
        self._waiting += 1
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._release(owner)  # the slot was assigned immediately before the task was cancelled
            else:
                self._forget(owner, future)
            raise

    def _start(self, owner: Hashable) -> None:
        self._free -= 1
        self._at_work.add(owner)

    def _release(self, owner: Hashable) -> None:
        self._free += 1
        self._at_work.discard(owner)
        self._start_waiting()
        if not self._at_work:
            self._all_done.set()

    def _start_waiting(self) -> None:
        while self._free:
            owner = next((each for each in self._lines if each not in self._at_work), None)
            if owner is None:
                return
            future = self._lines[owner].popleft()
            self._waiting -= 1
            if self._lines[owner]:
                self._lines.move_to_end(owner)
            else:
                del self._lines[owner]
            if not future.done():  # skip a cancelled future, which stays in the queue until its task runs
                self._start(owner)
                future.set_result(None)

    def _forget(self, owner: Hashable, future: asyncio.Future[None]) -> None:
        line = self._lines.get(owner)
        if line is None or future not in line:
            return
        line.remove(future)
        self._waiting -= 1
        if not line:
            del self._lines[owner]


def busy() -> DomainError:
    return DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_AFTER_MS)
