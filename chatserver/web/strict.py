"""aiohttp's WebSocket, made to refuse what RFC 6455 says a server must refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import WebSocketError, WSCloseCode, web
from aiohttp.web_request import BaseRequest

_MASKED = 0x80


class StrictWebSocket(web.WebSocketResponse):
    """Fails the connection with 1002 on a frame that is not masked (section 5.1).

    aiohttp's reader unmasks what is masked and takes the rest as it is; nothing public lies between
    the transport and that reader, so it is wrapped where `prepare` has just put it.

    `before_closing` is called before a closing frame of aiohttp's own (after a protocol error) is
    written, so that whoever writes beside aiohttp can stop first.
    """

    before_closing: Callable[[], None] = staticmethod(lambda: None)

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        self.before_closing()
        # A client may not send 1006, but aiohttp lets it (section 7.4.1).
        code = WSCloseCode.PROTOCOL_ERROR if code == WSCloseCode.ABNORMAL_CLOSURE else code
        return await super().close(code=code, message=message, drain=drain)

    def _post_start(self, request: BaseRequest, protocol: Any, writer: Any) -> None:
        super()._post_start(request, protocol, writer)
        handler: Any = request.protocol
        handler._payload_parser = _MaskedOnly(handler._payload_parser, self._reader)


class _MaskedOnly:
    """Stands before a reader; follows the frames' headers and lets everything through but unmasked ones."""

    def __init__(self, reader: Any, queue: Any) -> None:
        self._reader = reader
        self._queue = queue
        self._header = bytearray()
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
        position = 0
        while position < len(data):
            if self._payload_left:
                passed = min(self._payload_left, len(data) - position)
                self._payload_left -= passed
                position += passed
                continue
            self._header.append(data[position])
            position += 1
            if len(self._header) == 2 and not self._header[1] & _MASKED:
                return False
            if len(self._header) >= 2 and len(self._header) == _header_length(self._header[1]):
                self._payload_left = _payload_length(self._header)
                self._header.clear()
        return True


def _header_length(second: int) -> int:
    """Bytes before the payload: two, the longer length, the mask's four (section 5.2)."""
    return 6 + {126: 2, 127: 8}.get(second & 0x7F, 0)


def _payload_length(header: bytearray) -> int:
    short = header[1] & 0x7F
    return short if short < 126 else int.from_bytes(header[2:-4])
