"""The set of all connections: broadcast, close, heartbeat. Runs on the event loop and never awaits a reader."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

from chatserver.core.clock import Clock
from chatserver.core.model import User
from chatserver.realtime import frames
from chatserver.realtime.connection import TRY_AGAIN_LATER, Connection
from chatserver.realtime.fanout import Fanout

PING_SECONDS = 30.0
_PING = frames.ping()


class Hub:
    """The set of live connections.

    A connection is in the set from `join` until `leave` or its closing, whichever comes first, so that
    nothing is ever written after its close frame. `changed` is called after the set has changed.
    """

    def __init__(self, clock: Clock) -> None:
        self.changed: Callable[[], None] = lambda: None
        # The number of dropped connections: too slow for their outbox, stuck, or silent.
        self.dropped = 0
        self._clock = clock
        self._live: set[Connection] = set()
        self._closing: set[Connection] = set()
        self._fanout = Fanout(self._live, self._drop)
        # `broadcast(data, replies={})`: `data` to every connection, and after it each connection's own `replies`.
        self.broadcast = self._fanout.broadcast
        self._of_user: dict[int, set[Connection]] = {}
        self._of_address: Counter[str] = Counter()
        self._pinged_at = clock.monotonic()
        self._left = asyncio.Event()

    def __len__(self) -> int:
        return len(self._live)

    @property
    def is_empty(self) -> bool:
        """True if there is no connection, not even one that is closing."""
        return not self._live and not self._closing

    def of_address(self, address: str) -> int:
        """The number of connections of this address."""
        return self._of_address[address]

    def join(self, connection: Connection) -> None:
        self._live.add(connection)
        self._fanout.add(connection)
        self._of_address[connection.address] += 1
        if connection.user is not None:
            self._of_user.setdefault(connection.user.id, set()).add(connection)
        self.changed()

    def leave(self, connection: Connection) -> None:
        """Remove a connection that has ended. Later answers to it are not written. Idempotent."""
        connection.end()
        self._closing.discard(connection)
        self._remove(connection)
        self._left.set()

    @property
    def broadcast_bytes(self) -> int:
        """The sum of the bytes given to `broadcast`, each time multiplied by the number of connections."""
        return self._fanout.bytes

    def send_to_user(self, user_id: int, data: bytes) -> None:
        """Send to every connection of one member."""
        for connection in list(self._of_user.get(user_id, ())):
            self.send(connection, data)

    def send_to_administrators(self, data: bytes) -> None:
        for connections in list(self._of_user.values()):
            for connection in list(connections):
                if connection.user is not None and connection.user.is_administrator:
                    self.send(connection, data)

    def send(self, connection: Connection, data: bytes) -> None:
        """Send to one connection, after all earlier broadcasts."""
        if not connection.send(self._fanout.take_pending(connection) + data):
            self._drop(connection)

    def close(self, connection: Connection, code: int) -> None:
        """Close with `code`, after all earlier broadcasts, and take the connection out of the set."""
        if connection in self._live and (pending := self._fanout.take_pending(connection)):
            connection.send(pending)
        self._close(connection, code)

    def close_sessions(self, session_ids: Iterable[int], code: int) -> None:
        ended = set(session_ids)
        for connection in [c for c in self._live if c.session_id in ended]:
            self.close(connection, code)

    def close_guests(self, code: int) -> None:
        for connection in [c for c in self._live if c.user is None]:
            self.close(connection, code)

    def close_all(self, code: int) -> None:
        for connection in list(self._live):
            self.close(connection, code)

    async def wait_until_empty(self) -> None:
        """Wait until no connection is left, not even one that is still closing."""
        while self._live or self._closing:
            self._left.clear()
            await self._left.wait()

    def close_one_guest(self, address: str | None = None) -> bool:
        """Close the connection of one guest (of `address`) with 1013, to let a member in. False if there is none."""
        for connection in self._live:
            if connection.user is None and address in (None, connection.address):
                self.close(connection, TRY_AGAIN_LATER)
                return True
        return False

    def abort_all(self) -> None:
        for connection in [*self._live, *self._closing]:
            connection.abort()

    def users(self) -> list[User]:
        """The connected members, each once, in the order in which they connected."""
        return [user for connections in self._of_user.values() if (user := next(iter(connections)).user) is not None]

    def is_online(self, user_id: int) -> bool:
        return user_id in self._of_user

    def refresh(self, user: User) -> None:
        """Update a member whose avatar or role has changed."""
        for connection in self._of_user.get(user.id, ()):
            connection.user = user
        self.changed()

    @property
    def guests(self) -> int:
        return len(self._live) - sum(map(len, self._of_user.values()))

    @property
    def online(self) -> int:
        return len(self._of_user)

    def beat(self) -> None:
        """Once a second: drop connections that are stuck, silent or do not finish closing; ping every PING_SECONDS."""
        now = self._clock.monotonic()
        for connection in [c for c in (*self._live, *self._closing) if c.is_lost(now)]:
            self.dropped += connection in self._live
            self.leave(connection)
            connection.abort()
        if now - self._pinged_at >= PING_SECONDS:
            self._pinged_at = now
            self.broadcast(_PING)

    def _drop(self, connection: Connection) -> None:
        self.dropped += 1
        self._close(connection, TRY_AGAIN_LATER)

    def _close(self, connection: Connection, code: int) -> None:
        if connection in self._live:
            self._remove(connection)
            self._closing.add(connection)
        connection.close(code, self._clock.monotonic())

    def _remove(self, connection: Connection) -> None:
        if connection not in self._live:
            return
        self._live.remove(connection)
        self._of_address[connection.address] -= 1
        if not self._of_address[connection.address]:
            del self._of_address[connection.address]
        if connection.user is not None:
            mine = self._of_user[connection.user.id]
            mine.remove(connection)
            if not mine:
                del self._of_user[connection.user.id]
        self.changed()
