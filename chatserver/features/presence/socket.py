"""The WebSocket endpoint: the handshake, and the first frames `hello` and `sync`.

A handshake is handled as an ordinary request until it is answered with 101. Then its transport is taken from aiohttp
and belongs to a realtime.Connection with a FrameReader, which handle all that follows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Session, User
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.features.accounts import permissions
from chatserver.features.accounts.connections import BANNED, SESSION_ENDED
from chatserver.features.messages.read_marks import ReadMarks
from chatserver.features.messages.recent import RecentMessages
from chatserver.features.messages.sync import SyncFrames
from chatserver.features.presence.hello import Hello
from chatserver.features.presence.presence import Presence
from chatserver.http import handshake
from chatserver.http.access import Access
from chatserver.http.aiohttp_compat import masking
from chatserver.http.aiohttp_compat.hand_over import hand_over, handed_over
from chatserver.http.client_frame import FrameContext, FrameReader
from chatserver.http.route import Route
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, limit_key
from chatserver.realtime.connection import Connection


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
        hello: Hello,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._syncs = SyncFrames(recent)
        self._read_marks = read_marks
        self._presence = presence
        self._find_session = find_session
        self._context = context
        self._hub = context.hub
        self._hello = hello
        self._handshakes = RateLimit(clock)
        self._unmask = masking.fastest()

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Handle a handshake.

        Raises DomainError: `bad_request` (not a handshake, or another WebSocket version), `forbidden` (origin),
        `too_fast`, `busy` (too many connections).
        """
        origin, viewer = request.app[SITE].origin, request[VIEWER]
        handshake.check(request)
        if not viewer.is_bot:
            origin.check_socket_origin(request)
        address = limit_key(request)
        self._check_rate(address)
        read_id = await self._read_marks.of_member(viewer.user) if viewer.user else 0
        close_code, user = await self._admit(request)
        # There is no await from here on. So new connections are counted one by one, and no session ends between its
        # check and `join`.
        self._make_room(address, is_member=user is not None)
        session_id = viewer.session.id if viewer.session else None
        connection = Connection(user, session_id, address, self._clock.monotonic(), self._unmask)
        connection.receiver = FrameReader(self._context, connection, viewer.language)
        rest = hand_over(request, connection)
        try:
            self._begin(request, connection, close_code, read_id)
            connection.feed(bytearray(rest), len(rest))
        except BaseException:
            connection.abort()
            raise
        return handed_over()

    def _check_rate(self, address: str) -> None:
        """Limit handshakes, because one costs as much as a hundred frames. Raises DomainError `too_fast`.

        After a restart, all connections that one address may have can reconnect at once, and a second time.
        """
        most = self._settings.now.connections_per_address
        if most and (wait_ms := self._handshakes.take(address, 2 * most, max(20.0, most / 10))):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)

    async def _admit(self, request: web.Request) -> tuple[int | None, User | None]:
        """Check the session again. Returns a close code if the session has ended, else None; and the present member.

        A session that ended during the handshake had no connection that could be closed.
        """
        session = request[VIEWER].session
        if session is None:
            return None, None
        try:
            current = await self._find_session(request)
        except DomainError:  # the bot's token was replaced
            current = None
        if current is not None:
            return None, current.user
        is_banned = await self._database.run(lambda tx: permissions.is_banned(tx, session.user))
        return BANNED if is_banned else SESSION_ENDED, session.user

    def _make_room(self, address: str, is_member: bool) -> None:
        """Give members priority: a full server closes a guest's connection (1013) to accept a member's.

        Raises DomainError `busy`.
        """
        config = self._settings.now
        most, most_of_address = config.max_connections, config.connections_per_address
        if most_of_address and self._hub.of_address(address) >= most_of_address:
            if not is_member or not self._hub.close_one_guest(address):
                raise DomainError(ErrorCode.BUSY, retry_after_ms=5000)
        if most and len(self._hub) >= most:
            if not is_member or not self._hub.close_one_guest():
                raise DomainError(ErrorCode.BUSY, retry_after_ms=5000)

    def _begin(self, request: web.Request, connection: Connection, close_code: int | None, read_id: int) -> None:
        """Answer the handshake, join, and send `hello` and `sync`.

        There is no await, so that the connection gets all later events after these frames.
        """
        self._hub.join(connection)  # before `hello`, so that a member who connects is counted as online
        answer = handshake.answer(request)
        if close_code is not None:
            self._hub.send(connection, answer)
            self._hub.close(connection, close_code)
            return
        hello = self._hello.frame(connection.user, read_id, self._hub.online, self._clock.now_ms())
        self._hub.send(connection, b"".join((answer, hello, self._sync(request))))
        self._presence.greet(connection)

    def _sync(self, request: web.Request) -> bytes:
        """The frame `sync` if the client sent the state that it has (`after`, `epoch`), else nothing."""
        query = request.query
        return self._syncs.frame(query["after"], query.get("epoch", "")) if "after" in query else b""

    ROUTES = (Route("GET", "/ws/chat/", get, Access.READER, has_head=False),)
