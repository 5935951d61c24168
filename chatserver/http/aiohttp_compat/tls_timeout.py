"""A listening socket whose TLS handshakes have a deadline."""

from __future__ import annotations

import asyncio
import socket
import ssl

from aiohttp import web

BACKLOG = 1024


class Site(web.SockSite):
    """aiohttp's site leaves asyncio's 60 s to whoever connects and says nothing; `patience` is in seconds."""

    __slots__ = ("_patience",)

    def __init__(
        self, runner: web.AppRunner, listener: socket.socket, tls: ssl.SSLContext | None, patience: float
    ) -> None:
        super().__init__(runner, listener, ssl_context=tls, backlog=BACKLOG)
        self._patience = patience if tls else None

    async def start(self) -> None:
        await web.BaseSite.start(self)
        server = self._runner.server
        assert server is not None
        self._server = await asyncio.get_running_loop().create_server(
            server,
            sock=self._sock,
            ssl=self._ssl_context,
            backlog=self._backlog,
            ssl_handshake_timeout=self._patience,
            # The peer's half of a TLS goodbye: nobody needs it.
            ssl_shutdown_timeout=self._patience and min(self._patience, 5.0),
        )
