"""The server, put together: every part is made, started and stopped here, in one place each."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Mapping

from aiohttp import web

from chatserver import systemd
from chatserver.core.clock import Clock, SystemClock
from chatserver.core.config import Config
from chatserver.core.errors import DomainError
from chatserver.db import data_dir, sequence, vacuum
from chatserver.db.data_lock import DataLock
from chatserver.db.database import Database
from chatserver.db.disk_reserve import DiskReserve
from chatserver.db.eraser import Eraser
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.messages import files_in_use
from chatserver.features.messages.recent import ROWS_MAX, Feed
from chatserver.features.presence.presence import Presence
from chatserver.features.room import Room
from chatserver.features.settings.settings import Settings
from chatserver.features.status.metrics import Metrics
from chatserver.features.timers import Timers
from chatserver.http import assets, secret_key
from chatserver.http.aiohttp_compat.malformed_requests import Runner
from chatserver.http.aiohttp_compat.tls_timeout import Site
from chatserver.http.application import Parts, build, read_templates
from chatserver.http.certificate import Certificate
from chatserver.http.encode import Encoder
from chatserver.media.files import MediaFiles
from chatserver.media.workers import ImageWorkers
from chatserver.ops.control.server import ControlServer
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import Publisher

log = logging.getLogger(__name__)

# No request for so long, or a TLS handshake or a request's header not whole by then: the connection is closed.
HEADER_SECONDS = 15.0
# How long readers have to answer 1001, and requests under way to end.
GOODBYE_SECONDS = 2.0
GOING_AWAY = 1001
# Nothing that a beat looks after is due sooner; and while nobody is there a machine may sleep longer.
BEAT_SECONDS = 1.0
ALONE_SECONDS = 5.0


async def serve(config: Config, sources: Mapping[str, str]) -> int:
    """Run the room until SIGTERM or SIGINT. Returns the exit code.

    `sources` says for each setting where its value came from, as config.load does.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config, SystemClock(), sources) as server:
        loop.add_signal_handler(signal.SIGHUP, stop.set if _is_on_a_terminal() else server.reload)
        print(f"listening on {server.address}", flush=True)
        print(f"data directory: {config.data_dir.absolute()}", flush=True)
        if server.setup_token:
            # Where a public address is set no other is answered (421), not even from this host.
            public = config.base_url or server.address
            print(f"first administrator: {public}/setup/?token={server.setup_token}", flush=True)
        _tune_garbage_collector()
        systemd.notify("READY=1")
        await asyncio.to_thread(read_templates, server.app)
        await stop.wait()
        systemd.notify("STOPPING=1")
    return 0


def _is_on_a_terminal() -> bool:
    """There SIGHUP means that the terminal has gone, and elsewhere that somebody asks for a reload."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()


def _tune_garbage_collector() -> None:
    """Ten thousand connections are a million objects that live, and few of ours form cycles.

    Looking through them all after every 700 new ones, as the default is, took a fifth of the time
    that accepting connections took.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


class Server:
    """A running server, as `serve` and the tests see it."""

    def __init__(
        self, address: str, setup_token: str, room: Room, app: web.Application, certificate: Certificate | None
    ) -> None:
        self.address = address
        self.setup_token = setup_token
        self.room = room
        self.app = app
        self._certificate = certificate

    def reload(self) -> None:
        """What SIGHUP asks for where it does not mean that the terminal has gone: read the certificate again."""
        if self._certificate is not None:
            self._certificate.reload()


@contextlib.asynccontextmanager
async def running(config: Config, clock: Clock, sources: Mapping[str, str] | None = None) -> AsyncIterator[Server]:
    """Everything, started in order and stopped in the opposite one.

    Raises storage.DataLocked when another process has the data directory, storage.DatabaseUnusable
    for a database that cannot be used, and OSError for an address that cannot be had.
    """
    async with contextlib.AsyncExitStack() as stack:
        data_dir.prepare(config.data_dir)
        stack.enter_context(DataLock(config.data_dir))
        database = await Database.open(config.data_dir / "chat.db", DiskReserve(config.data_dir / "ballast"))
        stack.push_async_callback(database.close)
        media = MediaFiles(config.data_dir / "media")
        workers = await stack.enter_async_context(ImageWorkers())
        hasher = PasswordHasher(config.bcrypt_rounds)
        stack.callback(hasher.close)

        room = Room(database, Settings(config, sources), clock, hasher, media.copy)
        await room.changing.load()
        # Here only: an operator's command opens the room with its own idea of the settings, and must erase nothing.
        database.before_each_commit(room.history.trim)
        await room.history.expire()
        await media.sweep(set(await database.run(files_in_use.in_use)))

        wire = Encoder(config.timezone, clock)
        feed = Feed(await room.history.present(ROWS_MAX), wire)
        hub = Hub(clock)
        presence = Presence(hub)
        stack.callback(presence.stop)
        watch = Metrics(hub, database, workers, clock)
        timers = Timers(room, clock)
        eraser = Eraser(media.erase, lambda: vacuum.vacuum(database))
        database.publish_to(
            Publisher(feed, wire, hub, [watch.on_event, room.logins.on_event, timers.on_event, eraser.on_event])
        )
        await stack.enter_async_context(eraser.running())
        await stack.enter_async_context(timers.running())
        await stack.enter_async_context(_beating(hub, watch))

        app = build(
            Parts(
                room=room,
                database=database,
                feed=feed,
                wire=wire,
                hub=hub,
                watch=watch,
                presence=presence,
                media=media,
                workers=workers,
                clock=clock,
                secret=secret_key.load(config.data_dir),
                templates=assets.templates_dir(),
                static=assets.static_dir(),
            )
        )
        setup_token = await room.accounts.prepare()
        certificate = Certificate(config.tls_cert, config.tls_key) if config.tls_cert else None
        tls = certificate.context if certificate else None
        address = await stack.enter_async_context(_listening(app, config, hub, tls))
        await stack.enter_async_context(ControlServer(config.data_dir / "control.sock", room, address).running())
        await stack.enter_async_context(systemd.watched(lambda: _probe(database)))
        yield Server(address, setup_token, room, app, certificate)


async def _probe(database: Database) -> None:
    """The whole way to the disk and back. A "no" is an answer too: a full disk is not mended by starting anew."""
    with contextlib.suppress(DomainError):
        await database.run(sequence.touch)


@contextlib.asynccontextmanager
async def _listening(app: web.Application, config: Config, hub: Hub, tls: ssl.SSLContext | None) -> AsyncIterator[str]:
    """Take connections; at the end take no more, say goodbye to readers, let requests finish."""
    runner = Runner(
        app,
        config.secure,
        config.language,
        access_log=None,
        keepalive_timeout=HEADER_SECONDS,
        shutdown_timeout=GOODBYE_SECONDS,
        handler_cancellation=False,
    )

    async def say_goodbye(_: web.Application) -> None:
        hub.close_all(GOING_AWAY)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await hub.emptied()
        hub.abort_all()

    app.on_shutdown.append(say_goodbye)
    await runner.setup()
    try:
        sockets = systemd.listen_sockets() or [_bind(config)]
        for listener in sockets:
            await Site(runner, listener, tls, HEADER_SECONDS).start()
        yield _address(sockets[0], config, tls is not None)
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _beating(hub: Hub, watch: Metrics) -> AsyncIterator[None]:
    """The hub's heart. It tells the watch how late it beats: so long has everybody waited just then."""
    loop = asyncio.get_running_loop()

    async def beat() -> None:
        while True:
            pause = ALONE_SECONDS if hub.is_empty else BEAT_SECONDS
            due = loop.time() + pause
            await asyncio.sleep(pause)
            watch.beat(max(0.0, loop.time() - due))
            hub.beat()

    task = asyncio.create_task(beat(), name="heartbeat")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


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
        if isinstance(error, OSError) and error.strerror:  # which address it was, the kernel does not say
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
