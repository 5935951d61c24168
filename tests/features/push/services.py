"""A push service on loopback, over TLS. It answers as a test tells it, and keeps the requests."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.client import PATIENCE
from tests.fronts.proxies import certificate


class Received(NamedTuple):
    path: str
    headers: CIMultiDictProxy[str]
    body: bytes


class PushService:
    """`answers`: status and headers of the next answers, in order; then 201."""

    def __init__(self, port: int, ca: Path) -> None:
        self.service = f"localhost:{port}"
        self.origin = f"https://{self.service}"
        self.ca = ca
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.received: list[Received] = []
        self._news = asyncio.Condition()

    async def nth(self, number: int) -> Received:
        """The request with this number, counted from 1, as soon as it has arrived."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.received) >= number)
        return self.received[number - 1]

    async def on_request(self, request: web.Request) -> web.Response:
        received = Received(request.path, request.headers, await request.read())
        async with self._news:
            self.received.append(received)
            self._news.notify_all()
        status, headers = self.answers.pop(0) if self.answers else (201, {})
        return web.Response(status=status, headers=headers)


@asynccontextmanager
async def push_service(directory: Path) -> AsyncIterator[PushService]:
    pair = certificate(directory, "push", "localhost")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    found: list[PushService] = []

    async def on_request(request: web.Request) -> web.Response:
        return await found[0].on_request(request)

    app.router.add_route("*", "/{path:.*}", on_request)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "localhost", 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        found.append(PushService(port, pair.certificate))
        yield found[0]
    finally:
        await runner.cleanup()
