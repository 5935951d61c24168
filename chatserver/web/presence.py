"""Who is here, told to all, at most once a second."""

from __future__ import annotations

import asyncio
from typing import Any

from chatserver.hub import Connection, Hub, frames
from chatserver.web.wire import dumps, user

INTERVAL_SECONDS = 1.0
# Names beyond this are counted, not listed; faces beyond that are drawn by the page.
NAMES_MAX = 500
FACES_MAX = 100
# In a large room the list is told less often: this many bytes a second, over all readers.
BYTES_A_SECOND = 4_000_000


def here(hub: Hub) -> dict[str, Any]:
    """Who is connected: members, each once however many tabs, and guests, by sockets."""
    users = hub.users()
    return {
        "online": len(users),
        "guests": hub.guests,
        "members": [each.name for each in users[:NAMES_MAX]],
        "people": [user(each) for each in users[:FACES_MAX]],
    }


class Presence:
    """Coalesces the hub's changes, so that nobody is told twice within INTERVAL_SECONDS."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pending: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._frame: bytes | None = None
        hub.changed = self._changed

    def frame(self) -> bytes:
        """Encoded once for each change, however many come and are greeted."""
        if self._frame is None:
            self._frame = frames.text(dumps({"type": "presence", **here(self._hub)}))
        return self._frame

    def greet(self, newcomer: Connection) -> None:
        """Tell a newcomer who is here; where all are about to be told, those words are theirs too."""
        if self._pending is None or self._pending.when() > asyncio.get_running_loop().time() + INTERVAL_SECONDS:
            self._hub.send(newcomer, self.frame())

    def stop(self) -> None:
        self._hub.changed = lambda: None
        if self._pending is not None:
            self._pending.cancel()

    def _changed(self) -> None:
        self._frame = None
        if self._pending is None:
            loop = asyncio.get_running_loop()
            self._pending = loop.call_at(max(loop.time() + 0.1, self._next_at), self._tell)

    def _tell(self) -> None:
        self._pending = None
        frame = self.frame()
        cost = len(frame) * len(self._hub) / BYTES_A_SECOND
        self._next_at = asyncio.get_running_loop().time() + max(INTERVAL_SECONDS, cost)
        self._hub.broadcast(frame)
