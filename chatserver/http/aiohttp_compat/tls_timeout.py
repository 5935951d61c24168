"""A listening socket with a time limit for TLS handshakes."""

from __future__ import annotations

import asyncio
import socket
import ssl

from aiohttp import web

BACKLOG = 1024


class TLSTimeoutSite(web.SockSite):
    """A SockSite that closes a connection whose TLS handshake takes longer than `handshake_seconds`.

    aiohttp has no parameter for it, and asyncio's default is 60 s.
    """

    __slots__ = ("_handshake_seconds",)

    def __init__(
        self, runner: web.AppRunner, listener: socket.socket, tls: ssl.SSLContext | None, handshake_seconds: float
    ) -> None:
        super().__init__(runner, listener, ssl_context=tls, backlog=BACKLOG)
        self._handshake_seconds = handshake_seconds if tls else None

    async def start(self) -> None:
        await web.BaseSite.start(self)
        server = self._runner.server
        assert server is not None
        self._server = await asyncio.get_running_loop().create_server(
            server,
            sock=self._sock,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=self._handshake_seconds,
            # How long to wait for the peer's close_notify (RFC 8446, section 6.1). The server does not need it.
            ssl_shutdown_timeout=self._handshake_seconds and min(self._handshake_seconds, 5.0),
        )
