"""The listening socket: bind it, accept connections, and at the end close them in an orderly way."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import AsyncIterator

from aiohttp import web

from chatserver.core.config import Config, ConfigError
from chatserver.http.aiohttp_compat.request_handler import HandlerOptions, Runner
from chatserver.http.aiohttp_compat.tls_timeout import TLSTimeoutSite
from chatserver.realtime.hub import Hub

# A connection is closed if it sends no request for this long, or if its TLS handshake or the header of a request
# takes longer.
HEADER_SECONDS = 15.0
# The time for clients to answer 1001, and for current requests to end.
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

    At the end no more connections are accepted, WebSockets are closed with 1001, and current requests finish.
    Raises OSError for an address that cannot be bound, and ConfigError if the service may not open a socket.
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
                await hub.wait_until_empty()
        hub.abort_all()

    app.on_shutdown.append(close_sockets)
    await runner.setup()
    try:
        sockets = inherited or [_bind(config)]
        for listener in sockets:
            await TLSTimeoutSite(runner, listener, tls, HEADER_SECONDS).start()
        host = "" if inherited else config.host
        yield _address(sockets[0], host, tls is not None)
    finally:
        await runner.cleanup()
        # Also close a WebSocket whose handshake ended after the others were closed.
        hub.close_all(GOING_AWAY)
        hub.abort_all()
        await hub.wait_until_empty()


def _bind(config: Config) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    try:
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:  # chat.service allows only Unix sockets: RestrictAddressFamilies=AF_UNIX
            raise ConfigError(
                f"cannot listen on {config.host}:{config.port}: this service may open no socket and was passed none; "
                "to have chat.socket pass its own: systemctl daemon-reload && systemctl restart chat.socket"
            ) from None
        raise
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


def _address(listener: socket.socket, host: str, is_tls: bool) -> str:
    """The URL of a listening socket. `host` is the name that was bound; "" for the address of the socket itself."""
    name = listener.getsockname()
    if not isinstance(name, tuple):
        return f"unix:{name}"
    host = host or name[0]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if is_tls else 'http'}://{shown}:{name[1]}"


def reachable(address: str) -> str:
    """The address from `listening` for programs on this host: a loopback address instead of an unspecified one."""
    return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
