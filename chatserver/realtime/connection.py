"""One WebSocket connection (RFC 6455) after its handshake: the protocol of its transport, its reader and its outbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import Protocol

from chatserver.core.model import User
from chatserver.realtime import direct_write, frames
from chatserver.realtime.frames import NORMAL_CLOSURE, UNSUPPORTED_DATA, FrameParser
from chatserver.realtime.masking import Unmask
from chatserver.realtime.shared_buffer import SharedBuffer

# The most bytes that may wait for one connection: some 1,200 messages, or a page of history and a burst. A buffer that
# grows takes up to a third more memory, so a connection costs at most 1 MiB.
OUTBOX_MAX = 768 * 1024
# The server drops a connection if its outbox is not empty and the socket takes no byte of it for this long.
STUCK_SECONDS = 10.0
# How long a peer may take to answer a close frame.
CLOSING_SECONDS = 5.0
# The server drops a connection if its peer has sent nothing, not even a pong, for this long.
SILENT_SECONDS = 60.0

TRY_AGAIN_LATER = 1013

# All connections read into this buffer: each connection parses its bytes before the next one reads. For `data_received`
# asyncio allocates 256 KiB for each read, and the C library may map this memory anew each time: 19 µs for 200 bytes,
# against 4 µs.
_RECEIVED = bytearray(64 * 1024)
# asyncio gets a view, because over TLS it reads into slices, and a slice of a bytearray would be a copy.
_RECEIVED_VIEW = memoryview(_RECEIVED)


class Receiver(Protocol):
    """Handles the messages and control frames that a connection reads: see http/client_frame.py."""

    def text_received(self, text: str) -> None: ...
    def fragment_received(self) -> None: ...
    def ping_received(self, payload: bytes) -> None: ...
    def pong_received(self) -> None: ...
    def close(self, code: int) -> None:
        """Close the connection after everything that was broadcast before this call: see `Connection.close`."""

    def connection_lost(self) -> None: ...


class Connection(FrameParser, asyncio.BufferedProtocol):
    """A socket as the hub knows it: where to write, and for which member (None: a guest).

    `send` never blocks, never reorders, and never lets more than OUTBOX_MAX bytes wait: if there would be more,
    the connection is closed with 1013. A single write may be longer if nothing waits, because a long page of
    history or a large batch is not the reader's fault.

    `receiver` is set before `connection_made`, and dropped when the connection is lost.
    """

    __slots__ = (
        "_close_deadline", "_descriptor", "_given", "_sent", "_sent_at", "address", "closing_code", "cursor", "direct",
        "received_at", "receiver", "session_id", "transport", "user",
    )  # fmt: skip

    transport: asyncio.Transport

    def __init__(self, user: User | None, session_id: int | None, address: str, now: float, unmask: Unmask) -> None:
        super().__init__(unmask)
        self.user = user
        self.session_id = session_id
        self.address = address
        self.receiver: Receiver | None = None
        # When the peer last sent a frame, in seconds of the monotonic clock.
        self.received_at = self._sent_at = now
        self.closing_code: int | None = None
        # The number of broadcast pieces that this connection was given: see fanout.py.
        self.cursor = 0
        # See direct_write.py. -1: write through the transport only.
        self._descriptor = -1
        # `_descriptor` while `os.write` may be used. -1 while bytes wait in the transport's buffer, if all bytes must
        # go through the transport, and once nothing more may be written.
        self.direct = -1
        self._close_deadline = 0.0
        # Bytes: how many the transport was given, and how many of these had left its buffer at the last `is_lost`.
        self._given = 0
        self._sent = 0

    # Methods that the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._descriptor = direct_write.descriptor(transport)
        if self._descriptor >= 0:
            # asyncio calls `pause_writing` when the first byte waits, and `resume_writing` when no byte waits any more.
            transport.set_write_buffer_limits(high=0)
        self.direct = -1 if transport.get_write_buffer_size() else self._descriptor

    def get_buffer(self, sizehint: int) -> memoryview:
        return _RECEIVED_VIEW

    def buffer_updated(self, nbytes: int) -> None:
        self.feed(_RECEIVED, nbytes)

    def eof_received(self) -> None:
        """The peer ended its side without a close frame. asyncio closes the transport."""
        self._close(NORMAL_CLOSURE)

    def pause_writing(self) -> None:
        self.direct = -1

    def resume_writing(self) -> None:
        self.direct = self._descriptor

    def connection_lost(self, exc: Exception | None) -> None:
        self._write_no_more()  # the descriptor's number may soon belong to another file
        self._is_over = True
        self._unread = self._fragments = None
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.connection_lost()

    # Reading

    @property
    def is_paused(self) -> bool:
        """True while received frames wait to be parsed: see `pause_reading`."""
        return self._is_paused

    def text_received(self, text: str) -> None:
        if self.receiver is not None:
            self.receiver.text_received(text)

    def binary_received(self, payload: bytearray) -> None:
        """Close the connection, because the room's protocol has only text frames."""
        self._close(UNSUPPORTED_DATA)

    def fragment_received(self) -> None:
        if self.receiver is not None:
            self.receiver.fragment_received()

    def ping_received(self, payload: bytes) -> None:
        if self.receiver is not None:
            self.receiver.ping_received(payload)

    def pong_received(self) -> None:
        if self.receiver is not None:
            self.receiver.pong_received()

    def close_received(self, code: int | None) -> None:
        """Answer with the received code, unless a close frame was sent (5.5.1). The server closes TCP first (7.1.1)."""
        self._close(code or NORMAL_CLOSURE)
        self.transport.close()

    def failed(self, code: int) -> None:
        """Fail the connection (section 7.1.7).

        The socket is closed for writing only. If it were closed for reading too, the kernel would answer unread bytes
        with a reset, which can overtake the close frame. Then the peer closes the connection, or the deadline does.
        """
        self._close(code)
        if not self.transport.can_write_eof():  # over TLS, asyncio reads on until the peer closes
            self.transport.close()
            return
        with contextlib.suppress(OSError):  # the peer is gone
            self.transport.write_eof()

    def pause_reading(self) -> None:
        """Stop reading and parsing. Bytes that were received stay in their buffers."""
        self._is_paused = True
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        """Parse the received bytes, then read on unless their frames paused the connection again. Idempotent."""
        if not self._is_paused or self._is_over:
            return
        self._is_paused = False
        self._parse_unread()
        if not self._is_paused:
            self.transport.resume_reading()

    # Writing

    def send(self, data: bytes, shared: SharedBuffer | None = None) -> bool:
        """Write whole frames. False if the outbox would exceed its limit.

        `shared` holds the same data, if many other connections get it too.
        """
        if self.closing_code is not None:
            return True
        if self.direct < 0:
            return self.buffer(data)
        try:
            taken = shared.send_to(self.direct) if shared else os.write(self.direct, data)
        except OSError:  # the socket's buffer is full, or the peer is gone: the transport finds out which of the two
            taken = 0
        return taken == len(data) or self.buffer(data[taken:])

    def send_both(self, data: bytes, own: bytes) -> bool:
        """Like `send`, for `data`, which other connections get too, followed by `own`, in one write.

        The two are not joined, because a hundred senders of a busy room would each copy the 60 KB of a batch.
        """
        if self.closing_code is not None:
            return True
        taken = 0
        if self.direct >= 0:
            try:
                taken = os.writev(self.direct, (data, own))
            except OSError:  # as in `send`
                pass
            if taken == len(data) + len(own):
                return True
        return self.buffer(b"".join((data, own))[taken:])

    def buffer(self, data: bytes) -> bool:
        """Write through the transport. False if the outbox would exceed its limit."""
        if self.transport.is_closing():  # the peer is gone, and `connection_lost` is to be called
            return True
        waiting = self.transport.get_write_buffer_size()
        if waiting and waiting + len(data) > OUTBOX_MAX:
            return False
        self._given += len(data)
        self.transport.write(data)
        return True

    def _close(self, code: int) -> None:
        if self.receiver is not None:
            self.receiver.close(code)

    def close(self, code: int, now: float) -> None:
        """Begin or answer the closing handshake. The hub aborts it if the peer does not finish. Idempotent."""
        if self.closing_code is None:
            self.closing_code = code
            self._write_no_more()
            self._close_deadline = now + CLOSING_SECONDS
            self.transport.write(frames.close(code))
            if self._is_paused:  # resume, to read the peer's close frame
                self._is_paused = False
                self.transport.resume_reading()

    def end(self) -> None:
        """Write nothing more: the peer is gone. Idempotent."""
        self.closing_code = self.closing_code or NORMAL_CLOSURE
        self._write_no_more()

    def _write_no_more(self) -> None:
        self._descriptor = self.direct = -1

    def abort(self) -> None:
        """Free the buffer and the descriptor now, even if bytes wait."""
        self.transport.abort()

    def is_lost(self, now: float) -> bool:
        """True if the peer is stuck or silent, or did not finish the closing handshake in time."""
        if self.closing_code is not None:
            return now >= self._close_deadline
        sent = self._given - self.transport.get_write_buffer_size()
        if sent > self._sent or sent == self._given:
            self._sent, self._sent_at = sent, now
        return now - self._sent_at >= STUCK_SECONDS or now - self.received_at >= SILENT_SECONDS
