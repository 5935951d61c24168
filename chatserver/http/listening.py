"""The listening socket: bind, accept connections, and at the end close them in order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator

from aiohttp import web

from chatserver.core.config import Config
from chatserver.http.aiohttp_compat.request_handler import HandlerOptions, Runner
from chatserver.http.aiohttp_compat.tls_timeout import TLSTimeoutSite
from chatserver.realtime.hub import Hub

# A connection is closed when it sends no request for so long, or when its TLS handshake or a request's header
# is not complete by then.
HEADER_SECONDS = 15.0
# How long clients have to answer 1001, and requests under way to end.
SHUTDOWN_SECONDS = 2.0
GOING_AWAY = 1001


@contextlib.asynccontextmanager
async def listening(
    app: web.Application,
    config: Config,
    hub: Hub,
    handler_options: HandlerOptions,
    tls: ssl.SSLContext | None,
    inherited: list[socket.socket],
) -> AsyncIterator[str]:
    """Accept connections until the block ends; yields the address. `inherited`: sockets of the service manager.

    At the end no connection is accepted, WebSockets are closed with 1001, and requests under way finish.
    Raises OSError for an address that cannot be bound.
    """
    runner = Runner(
        app,
        handler_options,
        access_log=None,
        keepalive_timeout=HEADER_SECONDS,
        shutdown_timeout=SHUTDOWN_SECONDS,
        handler_cancellation=False,
    )

    async def close_sockets(_: web.Application) -> None:
        hub.close_all(GOING_AWAY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SHUTDOWN_SECONDS):
                await hub.emptied()
        hub.abort_all()

    app.on_shutdown.append(close_sockets)
    await runner.setup()
    try:
        sockets = inherited or [_bind(config)]
        for listener in sockets:
            await TLSTimeoutSite(runner, listener, tls, HEADER_SECONDS).start()
        yield _address(sockets[0], config, tls is not None)
    finally:
        await runner.cleanup()


def _bind(config: Config) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except BaseException as error:
        listener.close()
        if isinstance(error, OSError) and error.strerror:  # the kernel does not name the address
            reason = f"cannot listen on {config.host}:{config.port}: {error.strerror.lower()}"
            raise OSError(error.errno, reason) from None
        raise
    return listener


def _address(listener: socket.socket, config: Config, is_tls: bool) -> str:
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{name}"
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"{'https' if is_tls else 'http'}://{host}:{name[1]}"
