"""One reader. Its outbox is the transport's own buffer, bounded in bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from chatserver.core.model import User
from chatserver.realtime import frames
from chatserver.realtime.shared_buffer import SharedBuffer

# What may wait for one reader: some 1,200 messages, or a page of history and a burst. A buffer that grows to
# this takes up to a third more while it does, so a reader costs at most 1 MiB of memory.
OUTBOX_MAX = 768 * 1024
# A reader whose outbox has not moved for this long is gone, whatever its peer's kernel says.
STUCK_SECONDS = 10.0
# How long a peer may take over its half of a closing handshake.
CLOSING_SECONDS = 5.0
# A peer that has sent nothing, not even a pong, for this long is dropped.
SILENT_SECONDS = 60.0

TOO_SLOW = 1013
ENDED = 1000


@dataclass(eq=False, slots=True)
class Connection:
    """What the hub knows of a socket: where to write, and for whom.

    `send` never blocks, never reorders, and never lets more than OUTBOX_MAX bytes wait: past that
    the reader is told 1013 and dropped. One write alone may be longer, where nothing waits: a long
    page of history or a great batch is no reader's fault. Frames are written beside aiohttp, so its
    own flow control does not see them; the transport's buffer is watched here instead.

    While nothing waits in that buffer, a frame goes to the kernel straight away: the transport's own
    `write` costs a reader as much again as the loop around it. What the kernel does not take, and
    all that follows until the buffer is empty, goes through the transport, which keeps the order.
    """

    transport: asyncio.Transport
    user: User | None
    session_id: int | None
    address: str
    now: float
    heard: float = field(init=False)
    closing_code: int | None = field(default=None, init=False)
    # How much this reader has been given of what was told to all: see rounds.py.
    place: int = field(default=0, init=False)
    # Of the transport's socket: -1 once that is closed, so no other file is ever written to. None over TLS.
    _fileno: Callable[[], int] | None = field(init=False)
    # Something may wait in the transport's buffer; at first, the handshake's answer.
    _is_behind: bool = field(default=True, init=False)
    _deadline: float = field(default=0.0, init=False)
    # In bytes: what the transport was given, and what of that had left it when `is_lost` looked last.
    _given: int = field(default=0, init=False)
    _passed: int = field(default=0, init=False)
    _passed_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.heard = self._passed_at = self.now
        is_plain = self.transport.get_extra_info("sslcontext") is None
        socket = self.transport.get_extra_info("socket") if is_plain else None
        self._fileno = socket.fileno if socket is not None else None

    def send(self, data: bytes, shared: SharedBuffer | None = None) -> bool:
        """Write whole frames. False when this reader has just been given up as too slow.

        `shared` is the same data, where many others are given it too.
        """
        if self.closing_code is not None:
            return True
        if self._is_behind or self._fileno is None:
            return self._queue(data)
        try:
            taken = shared.send_to(self._fileno()) if shared else os.write(self._fileno(), data)
        except OSError:  # its buffer is full, or the peer is gone: which of them is the transport's to find out
            taken = 0
        return taken == len(data) or self._queue(data[taken:])

    def _queue(self, data: bytes) -> bool:
        waiting = self.transport.get_write_buffer_size()
        if waiting and waiting + len(data) > OUTBOX_MAX:
            return False
        self._given += len(data)
        self.transport.write(data)
        self._is_behind = self.transport.get_write_buffer_size() > 0
        return True

    def close(self, code: int, now: float) -> None:
        """Begin the closing handshake; the hub aborts it if the peer does not finish. Idempotent."""
        if self.closing_code is None:
            self.closing_code = code
            self._deadline = now + CLOSING_SECONDS
            self.transport.write(frames.close(code))

    def end(self) -> None:
        """Write nothing more: somebody else says goodbye, or the peer is gone. Idempotent."""
        self.closing_code = self.closing_code or ENDED

    def abort(self) -> None:
        """Free the buffer and the descriptor now, whatever waits."""
        self.transport.abort()

    def is_lost(self, now: float) -> bool:
        """True when nothing more is to be expected of this peer."""
        if self.closing_code is not None:
            return now >= self._deadline
        passed = self._given - self.transport.get_write_buffer_size()
        if passed > self._passed or passed == self._given:
            self._passed, self._passed_at = passed, now
        return now - self._passed_at >= STUCK_SECONDS or now - self.heard >= SILENT_SECONDS
