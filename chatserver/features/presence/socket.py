"""The WebSocket of one client: handshake, `hello` and `sync`, its frames, its end.

aiohttp makes the handshake and parses; every frame to the client is written by realtime.Connection,
beside aiohttp's own writer, so that one encoded frame serves all readers. That is safe because
compression is off, the transport is taken after `prepare`, and a connection leaves the hub before
its close frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Session
from chatserver.core.numbers import whole_number
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.features.accounts import permissions
from chatserver.features.accounts.connections import BANNED, SESSION_ENDED
from chatserver.features.messages.read_marks import ReadMarks
from chatserver.features.messages.recent import RecentMessages
from chatserver.features.presence.presence import Presence
from chatserver.http.access import Access
from chatserver.http.aiohttp_compat.strict_websocket import StrictWebSocket
from chatserver.http.encode import user_json
from chatserver.http.frame_reader import FrameContext, FrameReader
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, limit_key
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection

PROTOCOL = 1
FRAME_MAX = 64 * 1024

# Fields of `hello` and of the page that a feature adds.
Greeting = Callable[[], dict[str, Any]]


class Socket:
    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        clock: Clock,
        recent: RecentMessages,
        read_marks: ReadMarks,
        presence: Presence,
        find_session: Callable[[web.Request], Awaitable[Session | None]],
        context: FrameContext,
        greetings: Sequence[Greeting],
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._recent = recent
        self._read_marks = read_marks
        self._presence = presence
        self._find_session = find_session
        self._context = context
        self._hub = context.hub
        self._greetings = greetings
        self._handshakes = RateLimit(clock)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """The handshake. Raises DomainError: `forbidden` (origin), `too_fast`, `busy` (too many connections)."""
        origin, viewer = request.app[SITE].origin, request[VIEWER]
        if not viewer.is_bot:
            origin.check_socket_origin(request)
        address = limit_key(request)
        self._check_rate(address)
        read_id = await self._read_marks.of_member(viewer.user) if viewer.user else 0
        # No await from here to the joining, so that new connections are counted one by one.
        self._make_room(address, is_member=viewer.user is not None)
        # aiohttp refuses a message of `max_msg_size` bytes or more; FRAME_MAX bytes are allowed here.
        ws = StrictWebSocket(compress=False, autoping=False, autoclose=False, max_msg_size=FRAME_MAX + 1, timeout=5)
        await ws.prepare(request)
        ws.frame_loop = lambda: self._converse(request, ws, address, read_id)
        return ws

    def _check_rate(self, address: str) -> None:
        """A handshake costs a hundred times what a frame does. Raises DomainError `too_fast`.

        All that one address may have connected can come back at once, and once more: after a restart.
        """
        most = self._settings.now.connections_per_address
        if most and (wait_ms := self._handshakes.take(address, 2 * most, max(20.0, most / 10))):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)

    async def _converse(self, request: web.Request, ws: StrictWebSocket, address: str, read_id: int) -> None:
        """From the joining to the end of the connection."""
        transport = request.transport
        if transport is None:
            return
        connection = self._connection(request, transport, address)
        ws.before_closing = lambda: self._hub.leave(connection)
        if (code := await self._close_code(request, connection)) is None:
            self._welcome(request, connection, read_id)
        else:
            self._hub.join(connection)  # so that it is aborted when its peer does not answer
            self._hub.close(connection, code)
        reader = FrameReader(self._context, ws, connection, request[VIEWER].language)
        request.clear()  # what handlers kept in it is not needed any more, and a connection lasts for days
        try:
            await reader.run()
        finally:
            self._hub.leave(connection)

    def _connection(self, request: web.Request, transport: asyncio.Transport, address: str) -> Connection:
        viewer = request[VIEWER]
        session_id = viewer.session.id if viewer.session else None
        return Connection(transport, viewer.user, session_id, address, self._clock.monotonic())

    async def _close_code(self, request: web.Request, connection: Connection) -> int | None:
        """The code to close with at once; None for a connection that may join, as the member that it is by now.

        Checked again: a session that ended during the handshake had no connection to close yet.
        """
        session = request[VIEWER].session
        if session is None:
            return SESSION_ENDED if self._settings.now.guests == "none" else None
        try:
            current = await self._find_session(request)
        except DomainError:  # a bot's token that has been replaced
            current = None
        if current is None:
            is_banned = await self._database.run(lambda tx: permissions.is_banned(tx, session.user))
            return BANNED if is_banned else SESSION_ENDED
        connection.user = current.user
        return None

    def _make_room(self, address: str, is_member: bool) -> None:
        """Members before guests: a full server closes a guest's connection (1013) for a member's."""
        config = self._settings.now
        most, most_of_address = config.max_connections, config.connections_per_address
        if most_of_address and self._hub.of_address(address) >= most_of_address:
            if not is_member or not self._hub.close_a_guest(address):
                raise DomainError(ErrorCode.BUSY, retry_after_ms=5000)
        if most and len(self._hub) >= most:
            if not is_member or not self._hub.close_a_guest():
                raise DomainError(ErrorCode.BUSY, retry_after_ms=5000)

    def _welcome(self, request: web.Request, connection: Connection, read_id: int) -> None:
        """Join and send `hello` and `sync` without an await between: later events continue them exactly."""
        user = connection.user
        self._hub.join(connection)  # first, so that a member who connects is counted as online
        hello = {
            "type": "hello",
            "protocol": PROTOCOL,
            "version": request.app[SITE].static.version,  # a page with other static files can offer a reload
            "now_ms": self._clock.now_ms(),
            "user": user_json(user) if user else None,
            "read_id": read_id,
            "online": self._hub.online,
        }
        for greeting in self._greetings:
            hello |= greeting()
        welcome = frames.text(json.dumps(hello))
        if "after" in request.query:
            welcome += frames.text(self._sync(request.query["after"], request.query.get("epoch", "")))
        self._hub.send(connection, welcome)
        self._presence.greet(connection)

    def _sync(self, after: str, epoch: str) -> bytes:
        recent = self._recent
        seq = whole_number(after) if epoch == recent.epoch else None
        changes = None if seq is None else recent.changes_after(seq)
        messages = recent.sync_page() if changes is None else changes
        start = {"type": "sync", "first_id": recent.first_id, "complete": changes is not None}
        return json.dumps(start)[:-1] + b',"messages":' + messages + b"}"

    ROUTES = (Route("GET", "/ws/chat/", get, Access.READER, has_head=False),)
