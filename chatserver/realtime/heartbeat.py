"""The hub's heartbeat, which also measures how late the event loop runs."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from chatserver.realtime.hub import Hub

# The minimum pause between two beats. Without connections the pause is longer, so that the machine can sleep longer.
BEAT_SECONDS = 1.0
IDLE_SECONDS = 5.0


@contextlib.asynccontextmanager
async def beating(hub: Hub, on_beat: Callable[[float], None]) -> AsyncIterator[None]:
    """Call the hub's heartbeat until the block ends. `on_beat` gets the delay of each beat in seconds: all readers
    waited as long."""
    loop = asyncio.get_running_loop()

    async def beat() -> None:
        while True:
            pause = IDLE_SECONDS if hub.is_empty else BEAT_SECONDS
            due = loop.time() + pause
            await asyncio.sleep(pause)
            on_beat(max(0.0, loop.time() - due))
            hub.beat()

    task = asyncio.create_task(beat(), name="heartbeat")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
