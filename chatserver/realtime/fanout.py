"""Sends broadcast data to every connection in rounds, some connections at a time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

from chatserver.realtime.connection import Connection
from chatserver.realtime.shared_buffer import SHARED_MIN, SharedBuffer

# This many connections are written to before the loop does other work: a quarter of a millisecond.
AT_A_TIME = 32
# Bytes that may be pending in a round. If there are more, the round is finished at once.
PENDING_MAX = 256 * 1024


class Fanout:
    """Pending broadcast data, with a cursor for each connection.

    Data that is broadcast during a round joins the round: connections that were not written to yet get old and new
    data in one write, and the other connections get the new data in the next round. So a busy room reads from its
    senders while it writes to its readers, and a `send()`, which costs 8 µs for any size, carries more data. Before
    anything else is written to a connection, it is given its pending data (`take_pending`), so that nothing is
    reordered.
    """

    def __init__(self, connections: Collection[Connection], on_too_slow: Callable[[Connection], None]) -> None:
        self._connections = connections
        self._on_too_slow = on_too_slow
        self._pending: list[bytes] = []
        self._size = 0
        # The number of all pieces broadcast so far. A connection's `cursor` is the number of pieces that it was given.
        self._end = 0
        # The cursor and the joined data of the last call, because the next connection usually has the same cursor.
        self._joined: tuple[int, bytes] = (0, b"")
        self._shared: SharedBuffer | None = None
        # The sum of the bytes given to `broadcast`, each time multiplied by the number of connections.
        self.bytes = 0
        self._is_running = False
        self._next: asyncio.Handle | None = None
        # The current round: its connections, how many of them were written to, and `_end` at its start.
        self._round: list[Connection] = []
        self._written = 0
        self._began_at = 0

    def add(self, connection: Connection) -> None:
        """Add a new connection. It gets only later data, because the present state is sent to it separately."""
        connection.cursor = self._end

    def broadcast(self, data: bytes, replies: Mapping[Connection, bytes] = MappingProxyType({})) -> None:
        """Send whole frames to every connection, and after them each connection's own `replies`."""
        self.bytes += len(data) * len(self._connections)
        self._pending.append(data)
        self._size += len(data)
        self._end += 1
        self._joined = (self._end, b"")
        # First the connections that also wait for a reply, so that a sender can go on while the others are written to.
        for connection, own in replies.items():
            if not connection.send_both(self.take_pending(connection), own):
                self._on_too_slow(connection)
        if not self._is_running:
            self._begin_round()
            self._write_some()
        while self._size > PENDING_MAX:
            self._write_some()
        self._schedule()

    def take_pending(self, connection: Connection) -> bytes:
        """Return the pending data that this connection was not given yet, and set its cursor to the end."""
        cursor, connection.cursor = connection.cursor, self._end
        if cursor == self._end:
            return b""
        if self._joined[0] != cursor:
            self._joined = (cursor, b"".join(self._pending[cursor - self._end :]))
        return self._joined[1]

    def _schedule(self) -> None:
        if self._is_running and self._next is None:
            self._next = asyncio.get_running_loop().call_soon(self._continue)

    def _continue(self) -> None:
        self._next = None
        if self._is_running:
            self._write_some()
        self._schedule()

    def _begin_round(self) -> None:
        self._is_running = True
        self._round = list(self._connections)
        self._written = 0
        self._began_at = self._end

    def _write_some(self) -> None:
        end, write = self._end, os.write
        cursor, data = self._joined
        for connection in self._round[self._written : self._written + AT_A_TIME]:
            if connection.cursor == end:
                continue
            if connection.cursor != cursor or connection.direct < 0 or len(data) >= SHARED_MIN:
                self._write_to(connection)
                cursor, data = self._joined
                continue
            # The usual case of `_write_to`, written inline because the calls took 0.2 of 6 µs.
            connection.cursor = end
            try:
                taken = write(connection.direct, data)
            except OSError:
                taken = 0
            if taken != len(data) and not connection.buffer(data[taken:]):
                self._on_too_slow(connection)
        self._written += AT_A_TIME
        if self._written >= len(self._round):
            self._end_round()

    def _write_to(self, connection: Connection) -> None:
        data = self.take_pending(connection)
        shared = None if len(data) < SHARED_MIN else self._shared_buffer(data)
        if not connection.send(data, shared):
            self._on_too_slow(connection)

    def _shared_buffer(self, data: bytes) -> SharedBuffer:
        if self._shared is None or data is not self._shared.data:
            self._drop_shared()
            self._shared = SharedBuffer(data)
        return self._shared

    def _drop_shared(self) -> None:
        if self._shared is not None:
            self._shared.close()
            self._shared = None

    def _end_round(self) -> None:
        """End a round: every connection has the data that was pending at its start. Newer data needs another round."""
        newer = self._end - self._began_at
        self._pending = self._pending[len(self._pending) - newer :]
        self._size = sum(map(len, self._pending))
        self._joined = (self._end, b"")
        if self._pending:
            self._begin_round()
        else:
            self._is_running = False
            self._round = []
            self._drop_shared()
