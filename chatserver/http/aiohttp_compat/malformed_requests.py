"""The response and the log line for requests that aiohttp cannot parse, before any middleware runs.

aiohttp's own response and log line contain the invalid bytes, which can be a cookie, and its response
does not have the security headers.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from chatserver.core.errors import ErrorCode
from chatserver.core.json import dumps
from chatserver.http import headers
from chatserver.i18n import explain

log = logging.getLogger(__name__)


class Runner(web.AppRunner):
    """An AppRunner whose connections send this module's error responses, in `language`.

    `secure` adds the HSTS header; `options` are those of AppRunner.
    """

    def __init__(self, app: web.Application, secure: bool, language: str, **options: Any) -> None:
        super().__init__(app, **options)
        self._error_options = (secure, language)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        # aiohttp has no parameter for the class of this object, so the class is changed afterwards.
        server.__class__ = _Server
        assert isinstance(server, _Server)
        server.error_options = self._error_options
        return server


class _Server(web.Server):
    error_options: tuple[bool, str]

    def __call__(self) -> RequestHandler:
        return _Handler(self, self.error_options, loop=self._loop, **self._kwargs)


class _Handler(RequestHandler):
    def __init__(self, manager: web.Server, error_options: tuple[bool, str], **options: Any) -> None:
        super().__init__(manager, **options)
        self._secure, self._language = error_options

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
        body = dumps({"error": {"code": code.value, "message": explain(self._language, code.value, {})}})
        response = web.Response(body=body, status=status, content_type="application/json")
        headers.add(response, self._secure)
        response.force_close()
        return response
