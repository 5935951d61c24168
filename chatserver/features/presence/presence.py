"""Broadcasts the list of connected members to all connections, at most once a second."""

from __future__ import annotations

import asyncio

from chatserver.core import json
from chatserver.features.accounts.events import MemberChanged
from chatserver.http.encode import user_json
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.hub import Hub

INTERVAL_SECONDS = 1.0
# The list has the names of the first NAMES_MAX members and the avatars of the first FACES_MAX; the others are counted.
NAMES_MAX = 500
FACES_MAX = 100
# In a large room the list is sent less often, so that it takes at most this many bytes a second on all connections
# together.
BYTES_PER_SECOND = 4_000_000


class Presence:
    """Combines changes of the hub, so that broadcasts of the list are at least INTERVAL_SECONDS apart.

    Encoding the list of a full room takes 1 ms, so pages that are requested while members come and
    go get a list that is up to INTERVAL_SECONDS old.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._json = b""
        self._encoded_at = float("-inf")
        self._is_stale = True
        hub.changed = self._on_hub_changed

    def as_json(self) -> bytes:
        """A JSON object: the connected members, and the number of guests' connections. A member with several tabs is
        listed once."""
        if self._is_stale and asyncio.get_running_loop().time() - self._encoded_at >= INTERVAL_SECONDS:
            self._encode()
        return self._json

    def greet(self, connection: Connection) -> None:
        """Send the list to a new connection, unless a broadcast is due within INTERVAL_SECONDS."""
        if self._timer is None or self._timer.when() > asyncio.get_running_loop().time() + INTERVAL_SECONDS:
            self._hub.send(connection, _frame(self.as_json()))

    def on_member_changed(self, _: MemberChanged) -> None:
        """Encode the list again for the next page, so that a name that was taken away is not shown any more."""
        self._encoded_at = float("-inf")

    def stop(self) -> None:
        self._hub.changed = lambda: None
        if self._timer is not None:
            self._timer.cancel()

    def _on_hub_changed(self) -> None:
        self._is_stale = True
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time() + 0.1, self._next_at), self._broadcast)

    def _broadcast(self) -> None:
        self._timer = None
        if self._is_stale:
            self._encode()
        frame = _frame(self._json)
        cost = len(frame) * len(self._hub) / BYTES_PER_SECOND
        self._next_at = asyncio.get_running_loop().time() + max(INTERVAL_SECONDS, cost)
        self._hub.broadcast(frame)

    LISTENERS = ((MemberChanged, on_member_changed),)

    def _encode(self) -> None:
        members = self._hub.users()
        self._json = json.dumps(
            {
                "online": len(members),
                "guests": self._hub.guests,
                "members": [member.name for member in members[:NAMES_MAX]],
                "people": [user_json(member) for member in members[:FACES_MAX]],
            }
        )
        self._encoded_at = asyncio.get_running_loop().time()
        self._is_stale = False


def _frame(encoded: bytes) -> bytes:
    return frames.text(b'{"type":"presence",' + encoded[1:])
