"""One WebSocket connection: where its frames are written. Its outbox is the transport's buffer, bounded in bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from chatserver.core.model import User
from chatserver.realtime import direct_write, frames
from chatserver.realtime.shared_buffer import SharedBuffer

# What may wait for one connection: some 1,200 messages, or a page of history and a burst. A buffer that grows to
# this takes up to a third more while it does, so a connection costs at most 1 MiB of memory.
OUTBOX_MAX = 768 * 1024
# A connection whose outbox has not moved for this long is dropped.
STUCK_SECONDS = 10.0
# How long a peer may take to answer a close frame.
CLOSING_SECONDS = 5.0
# A peer that has sent nothing, not even a pong, for this long is dropped.
SILENT_SECONDS = 60.0

TOO_SLOW = 1013
NORMAL_CLOSURE = 1000


@dataclass(eq=False, slots=True)
class Connection:
    """What the hub knows of a socket: where to write, and for which member (None: a guest).

    `send` never blocks, never reorders, and never lets more than OUTBOX_MAX bytes wait: past that
    the connection is closed with 1013. A single write may be longer where nothing waits: a long page
    of history or a great batch is not the reader's fault. Frames are written beside aiohttp, so its
    flow control does not see them; the transport's buffer is checked here instead.
    """

    transport: asyncio.Transport
    user: User | None
    session_id: int | None
    address: str
    now: float
    # When the peer last sent a frame, in seconds of the monotonic clock.
    received_at: float = field(init=False)
    closing_code: int | None = field(default=None, init=False)
    # How much of the pending broadcast data this connection was given: see fanout.py.
    cursor: int = field(default=0, init=False)
    # See direct_write.py. None: write through the transport only.
    _descriptor: Callable[[], int] | None = field(init=False)
    # Bytes may wait in the transport's buffer; at first, the answer of the handshake.
    _is_buffered: bool = field(default=True, init=False)
    _close_deadline: float = field(default=0.0, init=False)
    # In bytes: what the transport was given, and how much of it had left the buffer when `is_lost` last looked.
    _given: int = field(default=0, init=False)
    _sent: int = field(default=0, init=False)
    _sent_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.received_at = self._sent_at = self.now
        self._descriptor = direct_write.descriptor(self.transport)

    def send(self, data: bytes, shared: SharedBuffer | None = None) -> bool:
        """Write whole frames. False when the outbox would exceed its bound.

        `shared` holds the same data, where many other connections are given it too.
        """
        if self.closing_code is not None:
            return True
        if self._is_buffered or self._descriptor is None:
            return self._buffer(data)
        try:
            taken = shared.send_to(self._descriptor()) if shared else os.write(self._descriptor(), data)
        except OSError:  # its buffer is full, or the peer is gone: the transport finds out which
            taken = 0
        return taken == len(data) or self._buffer(data[taken:])

    def _buffer(self, data: bytes) -> bool:
        waiting = self.transport.get_write_buffer_size()
        if waiting and waiting + len(data) > OUTBOX_MAX:
            return False
        self._given += len(data)
        self.transport.write(data)
        self._is_buffered = self.transport.get_write_buffer_size() > 0
        return True

    def close(self, code: int, now: float) -> None:
        """Begin the closing handshake; the hub aborts it if the peer does not finish. Idempotent."""
        if self.closing_code is None:
            self.closing_code = code
            self._close_deadline = now + CLOSING_SECONDS
            self.transport.write(frames.close(code))

    def end(self) -> None:
        """Write nothing more: another part sends the close frame, or the peer is gone. Idempotent."""
        self.closing_code = self.closing_code or NORMAL_CLOSURE

    def abort(self) -> None:
        """Free the buffer and the descriptor now, whatever waits."""
        self.transport.abort()

    def is_lost(self, now: float) -> bool:
        """True when nothing more is to be expected of this peer."""
        if self.closing_code is not None:
            return now >= self._close_deadline
        sent = self._given - self.transport.get_write_buffer_size()
        if sent > self._sent or sent == self._given:
            self._sent, self._sent_at = sent, now
        return now - self._sent_at >= STUCK_SECONDS or now - self.received_at >= SILENT_SECONDS
