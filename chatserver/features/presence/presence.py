"""Who is here, told to all, at most once a second."""

from __future__ import annotations

import asyncio

from chatserver.http.encode import dumps, user
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.hub import Hub

INTERVAL_SECONDS = 1.0
# Names beyond this are counted, not listed; faces beyond that are drawn by the page.
NAMES_MAX = 500
FACES_MAX = 100
# In a large room the list is told less often: this many bytes a second, over all readers.
BYTES_A_SECOND = 4_000_000


class Presence:
    """Coalesces the hub's changes, so that nobody is told twice within INTERVAL_SECONDS.

    The list of a full room takes a millisecond to encode, so those who ask for it one after the other
    while people come and go are given one that may be as old.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._pending: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._json = b""
        self._encoded_at = float("-inf")
        self._is_stale = True
        hub.changed = self._changed

    def here(self) -> bytes:
        """Who is connected, as a JSON object: members, each once however many tabs, and guests, by sockets."""
        if self._is_stale and asyncio.get_running_loop().time() - self._encoded_at >= INTERVAL_SECONDS:
            self._encode()
        return self._json

    def greet(self, newcomer: Connection) -> None:
        """Tell a newcomer who is here; where all are about to be told, those words are theirs too."""
        if self._pending is None or self._pending.when() > asyncio.get_running_loop().time() + INTERVAL_SECONDS:
            self._hub.send(newcomer, _frame(self.here()))

    def stop(self) -> None:
        self._hub.changed = lambda: None
        if self._pending is not None:
            self._pending.cancel()

    def _changed(self) -> None:
        self._is_stale = True
        if self._pending is None:
            loop = asyncio.get_running_loop()
            self._pending = loop.call_at(max(loop.time() + 0.1, self._next_at), self._tell)

    def _tell(self) -> None:
        self._pending = None
        if self._is_stale:
            self._encode()
        frame = _frame(self._json)
        cost = len(frame) * len(self._hub) / BYTES_A_SECOND
        self._next_at = asyncio.get_running_loop().time() + max(INTERVAL_SECONDS, cost)
        self._hub.broadcast(frame)

    def _encode(self) -> None:
        users = self._hub.users()
        self._json = dumps(
            {
                "online": len(users),
                "guests": self._hub.guests,
                "members": [each.name for each in users[:NAMES_MAX]],
                "people": [user(each) for each in users[:FACES_MAX]],
            }
        )
        self._encoded_at = asyncio.get_running_loop().time()
        self._is_stale = False


def _frame(here: bytes) -> bytes:
    return frames.text(b'{"type":"presence",' + here[1:])
