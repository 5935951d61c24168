"""Takes a connection from aiohttp after a WebSocket handshake, and gives it to another asyncio protocol.

aiohttp would keep its request, response, task, reader and queue as long as the connection lives: 15 KiB.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.web_protocol import RequestHandler


def hand_over(request: web.Request, protocol: asyncio.BaseProtocol) -> bytes:
    """Give the transport of `request` to `protocol`, and call its `connection_made`.

    Before the call nothing may be written in answer to `request`; after it the handler must return `handed_over()`.
    Returns the bytes that the client sent after the request. Raises ConnectionResetError if the connection is lost, and
    HTTPBadRequest (400) if aiohttp's parser did not recognize a handshake, because it then parses what follows it.
    """
    handler: RequestHandler = request.protocol
    transport = handler.transport
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the connection is lost")
    if not handler._upgraded:
        raise web.HTTPBadRequest
    rest = bytes(handler._message_tail)
    handler.transport = None  # without this line `connection_lost` would close it
    handler.connection_lost(None)
    transport.set_protocol(protocol)
    protocol.connection_made(transport)
    transport.resume_reading()  # aiohttp pauses reading if many bytes came after the request
    return rest


class _HandedOver(web.StreamResponse):
    """A response that aiohttp takes for one that is already sent."""

    def __init__(self) -> None:
        super().__init__(status=101)

    @property
    def prepared(self) -> bool:
        return True

    async def prepare(self, request: object) -> None:
        """Nothing is left to send."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send."""


def handed_over() -> web.StreamResponse:
    """The response that a handler must return after `hand_over`."""
    return _HandedOver()
