"""aiohttp's WebSocket with the checks that RFC 6455 requires of a server and aiohttp does not make."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WebSocketError, WSCloseCode, WSMessage, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import DEFAULT_CHUNK_SIZE
from aiohttp.web_request import BaseRequest

from chatserver.core import tuning

_MASKED = 0x80
_HEADER_MAX = 14


class StrictWebSocket(web.WebSocketResponse):
    """Fails the connection with 1002 on a frame that is not masked (RFC 6455, section 5.1).

    aiohttp's reader accepts unmasked frames, and has no public hook between the transport, the reader and
    its queue. `_post_start` therefore creates them as aiohttp does, with a mask check before the reader and
    a FrameQueue after it.

    `before_closing` is called before aiohttp writes a close frame itself (after a protocol error), so that
    code that writes to the transport directly can stop before.

    `frame_loop` runs after the handshake. It is awaited in `write_eof`, after the handler and the middlewares
    have returned, so that their stack frames are freed and do not use memory as long as the connection lives.
    """

    before_closing: Callable[[], None] = staticmethod(lambda: None)
    frame_loop: Callable[[], Awaitable[None]] | None = None
    queue: FrameQueue

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        """Raises HTTPBadRequest (400) for a handshake whose headers are not UTF-8; aiohttp would fail with 500."""
        try:
            return await super().prepare(request)
        except UnicodeError:
            raise web.HTTPBadRequest from None

    async def write_eof(self) -> None:  # type: ignore[override]  # without `data`, as in aiohttp
        frame_loop, self.frame_loop = self.frame_loop, None
        if frame_loop is not None:
            await frame_loop()
        await super().write_eof()

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        self.before_closing()
        # An endpoint must not send 1006 (section 7.4.1); aiohttp accepts it from a client and would send it back.
        code = WSCloseCode.PROTOCOL_ERROR if code == WSCloseCode.ABNORMAL_CLOSURE else code
        return await super().close(code=code, message=message, drain=drain)

    def _post_start(self, request: BaseRequest, protocol: Any, writer: Any) -> None:
        self._ws_protocol, self._writer = protocol, writer
        self._reader = self.queue = FrameQueue(request.protocol, DEFAULT_CHUNK_SIZE, loop=asyncio.get_running_loop())
        self._parser = WebSocketReader(self._reader, self._max_msg_size, compress=False, decode_text=True)
        mask_check: Any = _MaskCheck(self._parser, self._reader)
        request.protocol.set_parser(mask_check)
        request.protocol.keep_alive(False)


def enqueue(message: WSMessage) -> bool:
    """The default of `FrameQueue.on_frame`: queue every message."""
    return False


class FrameQueue(WebSocketDataQueue):
    """The queue between aiohttp's reader and `receive`. Messages can be handled at once, without the queue.

    While the queue is empty, `on_frame` is called with each message; it returns True if it has handled it.
    The receiver decreases `queued` after it has handled a queued message. With CHAT_TUNING=off every message
    is queued.
    """

    __slots__ = ("_is_direct", "on_frame", "queued")

    def __init__(self, protocol: Any, limit: int, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, limit, loop=loop)
        self.on_frame: Callable[[WSMessage], bool] = enqueue
        self.queued = 0
        self._is_direct = tuning.IS_ON

    def feed_data(self, data: Any, size: int) -> None:
        if self._is_direct and self.queued == 0 and self.on_frame(data):
            return
        self.queued += 1
        super().feed_data(data, size)


class _MaskCheck:
    """Parses the frame headers in front of a reader, and passes all bytes on unless a frame is not masked."""

    __slots__ = ("_header", "_payload_left", "_queue", "_reader")

    def __init__(self, reader: Any, queue: Any) -> None:
        self._reader = reader
        self._queue = queue
        self._header = b""
        self._payload_left = 0

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if not self._is_masked(data):
            self._queue.set_exception(WebSocketError(WSCloseCode.PROTOCOL_ERROR, "a frame is not masked"))
            return True, b""
        result: tuple[bool, bytes] = self._reader.feed_data(data)
        return result

    def feed_eof(self) -> None:
        self._reader.feed_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def _is_masked(self, data: bytes) -> bool:
        if self._header:  # the first bytes of a header were at the end of the last chunk
            data = self._header + data
            self._header = b""
        position = self._payload_left
        while position < len(data):
            header = data[position : position + _HEADER_MAX]
            if len(header) > 1 and not header[1] & _MASKED:
                return False
            if len(header) < 2 or len(header) < (length := _header_length(header[1])):
                self._header = header
                position = len(data)
                break
            position += length + _payload_length(header, length)
        self._payload_left = position - len(data)
        return True


def _header_length(second: int) -> int:
    """Bytes before the payload: 2, the extended length (0, 2 or 8), the masking key (4); section 5.2."""
    short = second & 0x7F
    return 6 if short < 126 else 8 if short == 126 else _HEADER_MAX


def _payload_length(header: bytes, length: int) -> int:
    short = header[1] & 0x7F
    return short if short < 126 else int.from_bytes(header[2 : length - 4])
