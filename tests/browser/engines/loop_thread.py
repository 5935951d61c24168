"""An event loop in a thread of its own, because Playwright's synchronous calls occupy the loop of the test's thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float) -> None:
        self._loop, self._patience = loop, patience

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run the coroutine in the thread, and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(self._patience)


@contextmanager
def loop_thread(patience: float) -> Iterator[LoopThread]:
    """`patience`: the timeout of one call in seconds."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield LoopThread(loop, patience)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
