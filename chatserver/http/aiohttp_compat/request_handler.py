"""Adds to aiohttp's handler of a connection: our error responses, and limits on connections and unread responses.

If aiohttp cannot parse a request, it answers before any middleware runs. Its response and its log line contain the
invalid bytes, which can be a cookie, and its response lacks the security headers. aiohttp does not count the
connections of an address, and does not drop a client that does not read.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from chatserver.core.errors import ErrorCode
from chatserver.core.json import dumps
from chatserver.http import headers
from chatserver.http.http_connections import HttpConnections
from chatserver.i18n import explain

log = logging.getLogger(__name__)

_RETRY_SECONDS = 5


class HandlerOptions(NamedTuple):
    """`secure` adds the HSTS header to error responses, which are in `language`.

    `address_of` gives the address of a peer for the rate limits, "" for a trusted proxy.
    """

    secure: bool
    language: str
    connections: HttpConnections
    address_of: Callable[[str], str]


class Runner(web.AppRunner):
    """An AppRunner that uses the connection handler of this module. `options` are the options of AppRunner."""

    def __init__(self, app: web.Application, handler_options: HandlerOptions, **options: Any) -> None:
        super().__init__(app, **options)
        self._handler_options = handler_options

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        # aiohttp has no parameter for the class of this object, so the class is changed afterwards.
        server.__class__ = _Server
        assert isinstance(server, _Server)
        server.handler_options = self._handler_options
        return server


class _Server(web.Server):
    handler_options: HandlerOptions

    def __call__(self) -> RequestHandler:
        return _Handler(self, self.handler_options, loop=self._loop, **self._kwargs)


class _Handler(RequestHandler):
    __slots__ = ("_address_of", "_connections", "_deadline", "_language", "_secure", "address")

    def __init__(self, manager: web.Server, handler_options: HandlerOptions, **options: Any) -> None:
        super().__init__(manager, **options)
        self._secure, self._language, self._connections, self._address_of = handler_options
        self._deadline: asyncio.TimerHandle | None = None
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self.address = self._address_of(peer[0]) if isinstance(peer, tuple) else ""
        super().connection_made(transport)
        if not self._connections.add(self) and isinstance(transport, asyncio.Transport):
            transport.write(self._busy())
            self.force_close()

    def connection_lost(self, exc: BaseException | None) -> None:
        """aiohttp also calls this when a WebSocket is handed over (hand_over.py); a WebSocket has its own limits."""
        self._leave()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        if isinstance(self.transport, asyncio.Transport):
            seconds = self._connections.set_unread(self, self.transport.get_write_buffer_size())
            self._cancel_deadline()
            self._deadline = self._loop.call_later(seconds, self.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._connections.clear_unread(self)
        self._cancel_deadline()

    @property
    def is_waiting(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    def _leave(self) -> None:
        self._connections.remove(self)
        self._cancel_deadline()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _busy(self) -> bytes:
        """The whole response to a connection that exceeds the limit of its address."""
        body = self._error_body(ErrorCode.BUSY, retry_after_ms=_RETRY_SECONDS * 1000)
        fields = {
            **headers.common_headers(self._secure),
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            "Retry-After": str(_RETRY_SECONDS),
            "Connection": "close",
        }
        lines = ["HTTP/1.1 503 Service Unavailable", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return "\r\n".join(lines).encode() + body

    def _error_body(self, code: ErrorCode, **facts: int) -> bytes:
        return dumps({"error": {"code": code.value, "message": explain(self._language, code.value, facts), **facts}})

    def log_exception(self, *args: Any, **options: Any) -> None:
        """Called by aiohttp for an exception outside of a handler.

        Logs one case at `info` level, because it is the client's error: the response was sent, aiohttp reads
        the rest of the request body, and the body does not match its Content-Encoding. aiohttp closes the
        connection.
        """
        if isinstance(options.get("exc_info"), web.RequestPayloadError):
            log.info("a request body from %s does not match its Content-Encoding", self._peer())
        else:
            super().log_exception(*args, **options)

    def _peer(self) -> str:
        address = self.transport.get_extra_info("peername") if self.transport is not None else None
        return str(address[0]) if isinstance(address, tuple) else "local socket"

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The response to a request that could not be parsed (400) or failed outside the middlewares (500).

        It contains the error code and its message, and nothing of the request.
        """
        if isinstance(exc, ConnectionError):  # the client closed the connection before its "100 Continue"
            raise exc
        if status >= 500:
            log.error("a request from %s failed before its handler was called", request.remote, exc_info=exc)
        else:
            # The request's bytes are not logged, because they can contain a password or a cookie.
            log.info("a request from %s was not valid HTTP: %s", request.remote, type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("a response had already been started")
        code = ErrorCode.INTERNAL if status >= 500 else ErrorCode.BAD_REQUEST
        response = web.Response(body=self._error_body(code), status=status, content_type="application/json")
        headers.add(response, self._secure)
        response.force_close()
        return response
