"""aiohttp's WebSocket, made to refuse what RFC 6455 says a server must refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WebSocketError, WSCloseCode, WSMessage, web
from aiohttp._websocket.reader import WebSocketDataQueue, WebSocketReader
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import DEFAULT_CHUNK_SIZE
from aiohttp.web_request import BaseRequest

_MASKED = 0x80
_HEADER_MAX = 14


class StrictWebSocket(web.WebSocketResponse):
    """A response whose body is a conversation.

    Fails the connection with 1002 on a frame that is not masked (section 5.1).

    aiohttp's reader unmasks what is masked and takes the rest as it is; nothing public lies between
    the transport, that reader and the queue behind it, so `_post_start` puts them together as
    aiohttp's own does, with ours before and behind the reader.

    `before_closing` is called before a closing frame of aiohttp's own (after a protocol error) is
    written, so that whoever writes beside aiohttp can stop first.

    `conversation` is what follows the handshake. It is awaited when the handler has returned: what
    surrounds a handler (sessions, refusals, the guard) would else stay on the stack of every socket,
    for as long as that lives.
    """

    before_closing: Callable[[], None] = staticmethod(lambda: None)
    conversation: Callable[[], Awaitable[None]] | None = None
    queue: Queue

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        """Refuses with 400 a handshake with headers that are no text, which aiohttp would quote, and could not."""
        try:
            return await super().prepare(request)
        except UnicodeError:
            raise web.HTTPBadRequest from None

    async def write_eof(self) -> None:  # type: ignore[override]  # as aiohttp has it
        conversation, self.conversation = self.conversation, None
        if conversation is not None:
            await conversation()
        await super().write_eof()

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        self.before_closing()
        # A client may not send 1006, but aiohttp lets it (section 7.4.1).
        code = WSCloseCode.PROTOCOL_ERROR if code == WSCloseCode.ABNORMAL_CLOSURE else code
        return await super().close(code=code, message=message, drain=drain)

    def _post_start(self, request: BaseRequest, protocol: Any, writer: Any) -> None:
        self._ws_protocol, self._writer = protocol, writer
        self._reader = self.queue = Queue(request.protocol, DEFAULT_CHUNK_SIZE, loop=asyncio.get_running_loop())
        self._parser = WebSocketReader(self._reader, self._max_msg_size, compress=False, decode_text=True)
        before: Any = _MaskedOnly(self._parser, self._reader)
        request.protocol.set_parser(before)
        request.protocol.keep_alive(False)


def enqueue(message: WSMessage) -> bool:
    """Nobody hears it at once."""
    return False


class Queue(WebSocketDataQueue):
    """Between aiohttp's reader and `receive`: a message that somebody hears at once need not go through it.

    `hear` is asked for each message while none stands in line, and says whether it took it. Who
    receives counts down `queued`, once a message was dealt with.
    """

    __slots__ = ("on_frame", "queued")

    def __init__(self, protocol: Any, limit: int, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(protocol, limit, loop=loop)
        self.on_frame: Callable[[WSMessage], bool] = enqueue
        self.queued = 0

    def feed_data(self, data: Any, size: int) -> None:
        if self.queued == 0 and self.on_frame(data):
            return
        self.queued += 1
        super().feed_data(data, size)


class _MaskedOnly:
    """Stands before a reader; follows the frames' headers and lets everything through but unmasked ones."""

    __slots__ = ("_header", "_payload_left", "_queue", "_reader")

    def __init__(self, reader: Any, queue: Any) -> None:
        self._reader = reader
        self._queue = queue
        self._header = b""
        self._payload_left = 0

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if not self._is_masked(data):
            self._queue.set_exception(WebSocketError(WSCloseCode.PROTOCOL_ERROR, "a frame was not masked"))
            return True, b""
        result: tuple[bool, bytes] = self._reader.feed_data(data)
        return result

    def feed_eof(self) -> None:
        self._reader.feed_eof()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def _is_masked(self, data: bytes) -> bool:
        if self._header:  # the beginning of a header came at the end of the last piece
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
    """Bytes before the payload: two, the longer length, the mask's four (section 5.2)."""
    short = second & 0x7F
    return 6 if short < 126 else 8 if short == 126 else _HEADER_MAX


def _payload_length(header: bytes, length: int) -> int:
    short = header[1] & 0x7F
    return short if short < 126 else int.from_bytes(header[2 : length - 4])
