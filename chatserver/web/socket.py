"""One WebSocket's life: let in, told the present, listened to, let go.

aiohttp shakes hands and parses; every frame to the client is written by the hub's Connection,
beside aiohttp's own writer, so that one encoded frame serves all readers. That is safe because
compression is off, the transport is taken after `prepare`, and a connection leaves the hub before
its closing frame.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from chatserver import logs
from chatserver.hub import Connection, Hub, frames
from chatserver.refusals import Code, Refusal
from chatserver.web import commands, logins, wire
from chatserver.web.feed import Feed
from chatserver.web.keys import (
    CLOCK,
    FEED,
    GATE,
    HUB,
    PRESENCE,
    REQUEST_ID,
    ROOM,
    SETTINGS,
    STATIC,
    VIEWER,
    WATCH,
    WIRE,
)
from chatserver.web.pace import Pace, Verdict
from chatserver.web.publisher import BANNED, SESSION_ENDED
from chatserver.web.strict import StrictWebSocket
from chatserver.web.viewer import Viewer
from chatserver.web.wire import dumps

PROTOCOL = 1
FRAME_MAX = 64 * 1024
# Frames of one connection that may be at work at once; the next one is read when one is done.
AT_WORK_MAX = 64
NONSENSE_MAX = 10


async def serve(request: web.Request) -> web.StreamResponse:
    """The handler of `/ws/chat/`. Refuses the handshake with `forbidden` (origin) and `busy` (too many)."""
    request.app[GATE].check_socket_origin(request)
    viewer, hub = request[VIEWER], request.app[HUB]
    read_id = await request.app[ROOM].reacting.read_by(viewer.user) if viewer.user else 0
    address = request.app[GATE].address(request)
    # From here to the joining nothing waits for anything, so that newcomers are counted one by one.
    _check_room_left(request, viewer, address, hub)
    # aiohttp refuses a message of `max_msg_size` bytes or more; ours may have FRAME_MAX.
    ws = StrictWebSocket(compress=False, autoping=False, autoclose=False, max_msg_size=FRAME_MAX + 1, timeout=5)
    await ws.prepare(request)
    ws.conversation = lambda: _converse(request, ws, address, read_id)
    return ws


async def _converse(request: web.Request, ws: StrictWebSocket, address: str, read_id: int) -> None:
    """From the joining to the leaving."""
    app, viewer, transport = request.app, request[VIEWER], request.transport
    if transport is None:
        return
    hub = app[HUB]
    logs.REQUEST_ID.set(request[REQUEST_ID])
    connection = Connection(
        transport,
        viewer.user,
        viewer.session.id if viewer.session else None,
        address,
        app[CLOCK].monotonic(),
    )
    ws.before_closing = lambda: hub.leave(connection)
    if (code := await _why_not(request, connection)) is None:
        _welcome(request, connection, read_id)
    else:
        hub.join(connection)  # so that it is aborted when its peer does not answer
        hub.close(connection, code)
    request.clear()  # what was kept of it for its handlers is of no more use, and a socket lives for days
    try:
        await _Listener(app, ws, connection, viewer.language).listen()
    finally:
        hub.leave(connection)


async def _why_not(request: web.Request, connection: Connection) -> int | None:
    """The code to close with at once; None for who may come in, as the member that they are by now.

    Asked again: what was ended during the handshake has found no connection to close, and must hear
    nothing of the room.
    """
    session = request[VIEWER].session
    if session is None:
        return SESSION_ENDED if request.app[SETTINGS].now.guests == "none" else None
    login = await logins.find(request)
    if login is None:
        return BANNED if await request.app[ROOM].moderation.is_banned(session.user) else SESSION_ENDED
    connection.user = login.user
    return None


def _check_room_left(request: web.Request, viewer: Viewer, address: str, hub: Hub) -> None:
    """Members before guests: where a member finds no room, a guest is told to come back later."""
    config = request.app[SETTINGS].now
    most, of_address = config.max_connections, config.connections_per_address
    if of_address and hub.of_address(address) >= of_address:
        if viewer.user is None or not hub.give_up_a_guest(address):
            raise Refusal(Code.BUSY, retry_after_ms=5000)
    if most and len(hub) >= most:
        if viewer.user is None or not hub.give_up_a_guest():
            raise Refusal(Code.BUSY, retry_after_ms=5000)


def _welcome(request: web.Request, connection: Connection, read_id: int) -> None:
    """Join and tell the present, without a pause between: the events that follow continue it exactly."""
    app = request.app
    feed, hub = app[FEED], app[HUB]
    user = connection.user
    hub.join(connection)  # first, so that a member who comes is counted among those online
    hello = {
        "type": "hello",
        "protocol": PROTOCOL,
        "version": app[STATIC].version,  # of the static files: a page that came with others can offer a reload
        "epoch": feed.epoch,
        "seq": feed.seq,
        "first_id": feed.first_id,
        "now_ms": app[WIRE].now_ms(),
        "user": wire.user(user) if user else None,
        "read_id": read_id,
        "limits": wire.limits(app[SETTINGS].now),
        "window": app[WIRE].window(feed.window) if feed.window else None,
        "announcement": wire.media_url(feed.announcement),
        "online": hub.online,
    }
    told = frames.text(dumps(hello))
    if "after" in request.query:
        told += frames.text(_sync(feed, request.query["after"], request.query.get("epoch", "")))
    hub.send(connection, told)
    app[PRESENCE].greet(connection)


def _sync(feed: Feed, after: str, epoch: str) -> bytes:
    known = epoch == feed.epoch and after.isascii() and after.isdigit() and len(after) < 20
    changes = feed.changes_after(int(after)) if known else None
    messages = feed.page() if changes is None else changes
    start = {"type": "sync", "first_id": feed.first_id, "complete": changes is not None}
    return dumps(start)[:-1] + b',"messages":' + messages + b"}"


class _Listener:
    """Reads one client's frames until it goes."""

    __slots__ = ("_app", "_at_work", "_connection", "_language", "_nonsense", "_pace", "_ws")

    def __init__(self, app: web.Application, ws: web.WebSocketResponse, connection: Connection, language: str) -> None:
        self._app = app
        self._ws = ws
        self._connection = connection
        self._language = language
        self._at_work: set[asyncio.Task[None]] = set()
        self._nonsense = 0
        self._pace = Pace(app[CLOCK])

    async def listen(self) -> None:
        while await self._handle(await self._ws.receive()):
            self._connection.heard = self._app[CLOCK].monotonic()

    async def _handle(self, message: WSMessage) -> bool:
        """False when the conversation is over."""
        match message.type:
            case WSMsgType.TEXT:
                await self._text(message.data)
            case WSMsgType.BINARY:
                self._close(WSCloseCode.UNSUPPORTED_DATA)
            case WSMsgType.PING:
                if self._is_heard():
                    self._app[HUB].send(self._connection, frames.pong(bytes(message.data)))
            case WSMsgType.PONG:
                self._is_heard()
            case WSMsgType.CLOSE:
                await self._answer_close(message.data)
                return False
            case _:  # a protocol error, which aiohttp has answered, or the end of the stream
                return False
        return True

    async def _text(self, text: str) -> None:
        if self._connection.closing_code is not None:
            return  # the closing handshake has begun; what still comes is not heard
        is_heard = self._is_heard()
        try:
            frame = commands.parse(text)
        except commands.Nonsense:
            self._refuse_nonsense()
            return
        if not is_heard:
            self._refuse(Refusal(Code.TOO_FAST, retry_after_ms=self._pace.wait_ms), frame)
            return
        if len(self._at_work) >= AT_WORK_MAX:
            await asyncio.wait(self._at_work, return_when=asyncio.FIRST_COMPLETED)
        # A task of its own, so that a client may send on while its message is on the way to the disk.
        # Tasks start in the order of the frames, and the database keeps that order.
        task = asyncio.create_task(self._carry_out(frame))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)

    async def _carry_out(self, frame: dict[str, Any]) -> None:
        is_done = await commands.carry_out(self._app, self._connection, self._language, frame)
        if is_done and frame["type"] == "post":
            self._pace.give_back()

    def _is_heard(self) -> bool:
        """One frame has come; False when they come too fast. Who does not stop then is closed with 1008."""
        verdict = self._pace.take()
        if verdict is Verdict.CLOSE:
            self._close(WSCloseCode.POLICY_VIOLATION)
        return verdict is Verdict.HEAR

    def _refuse_nonsense(self) -> None:
        self._nonsense += 1
        self._refuse(Refusal(Code.BAD_REQUEST if self._connection.user else Code.LOGIN_REQUIRED), {})
        if self._nonsense >= NONSENSE_MAX:
            self._close(WSCloseCode.POLICY_VIOLATION)

    def _refuse(self, refusal: Refusal, frame: dict[str, Any]) -> None:
        self._app[WATCH].refused(refusal.code)
        self._app[HUB].send(self._connection, commands.refused(refusal, self._language, frame))

    def _close(self, code: int) -> None:
        self._app[HUB].close(self._connection, code)

    async def _answer_close(self, code: int | None) -> None:
        """Finish the handshake: with our half if the client began it, else just by hanging up."""
        if self._connection.closing_code is None:
            await self._ws.close(code=code or WSCloseCode.OK, drain=False)
        else:
            self._connection.transport.close()
