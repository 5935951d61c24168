"""What aiohttp says and logs by itself, before any handler of ours: of requests that are no HTTP.

Its own words repeat the offending bytes, to the client without our headers, and to the log in
whole: a cookie, where the line that did not parse was one.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from chatserver.core.errors import ErrorCode
from chatserver.http import headers
from chatserver.http.encode import dumps
from chatserver.i18n import explain

log = logging.getLogger(__name__)


class Runner(web.AppRunner):
    """aiohttp's AppRunner, whose connections answer for themselves in our way."""

    def __init__(self, app: web.Application, secure: bool, language: str, **options: Any) -> None:
        super().__init__(app, **options)
        self._how = (secure, language)

    async def _make_server(self) -> web.Server:
        server = await super()._make_server()
        # aiohttp makes this object deep inside, and leaves no other way to say of which kind.
        server.__class__ = _Server
        assert isinstance(server, _Server)
        server.how = self._how
        return server


class _Server(web.Server):
    how: tuple[bool, str]

    def __call__(self) -> RequestHandler:
        return _Handler(self, self.how, loop=self._loop, **self._kwargs)


class _Handler(RequestHandler):
    def __init__(self, manager: web.Server, how: tuple[bool, str], **options: Any) -> None:
        super().__init__(manager, **options)
        self._secure, self._language = how

    def log_exception(self, *args: Any, **options: Any) -> None:
        """What aiohttp calls when it fails outside of any handler.

        One case is no fault of ours: the answer is out, aiohttp reads the rest of a body that no
        handler wanted, and the body is not what its Content-Encoding says. The connection is closed.
        """
        if isinstance(options.get("exc_info"), web.RequestPayloadError):
            log.info("request body from %s could not be decoded", self._peer())
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
        """400 for what could not be parsed, 500 for a fault outside the middlewares: the code and no more."""
        if isinstance(exc, ConnectionError):  # gone before its "100 Continue": nobody's fault, and nobody to answer
            raise exc
        if status >= 500:
            log.error("request from %s failed before its response was started", request.remote, exc_info=exc)
        else:
            # Of a request that cannot be read only this much is told: its bytes may be anybody's secret.
            log.info("malformed HTTP request from %s: %s", request.remote, type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("the response has already been started")
        code = ErrorCode.INTERNAL if status >= 500 else ErrorCode.BAD_REQUEST
        body = dumps({"error": {"code": code.value, "message": explain(self._language, code.value, {})}})
        response = web.Response(body=body, status=status, content_type="application/json")
        headers.add(response, self._secure)
        response.force_close()
        return response
