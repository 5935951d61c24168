"""One WebSocket's life: let in, told the present, listened to, let go.

aiohttp shakes hands and parses; every frame to the client is written by the hub's Connection,
beside aiohttp's own writer, so that one encoded frame serves all readers. That is safe because
compression is off, the transport is taken after `prepare`, and a connection leaves the hub before
its closing frame.
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.messages.recent import Feed
from chatserver.http import encode, login_cookie
from chatserver.http.aiohttp_compat.strict_websocket import StrictWebSocket
from chatserver.http.encode import dumps
from chatserver.http.frame_reader import Listener
from chatserver.http.keys import CLOCK, ENCODER, FEED, HUB, ORIGIN, PRESENCE, ROOM, SETTINGS, STATIC, VIEWER
from chatserver.http.viewer import Viewer
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import BANNED, SESSION_ENDED

PROTOCOL = 1
FRAME_MAX = 64 * 1024


async def serve(request: web.Request) -> web.StreamResponse:
    """The handler of `/ws/chat/`. Refuses the handshake with `forbidden` (origin) and `busy` (too many)."""
    request.app[ORIGIN].check_socket_origin(request)
    viewer, hub = request[VIEWER], request.app[HUB]
    read_id = await request.app[ROOM].reacting.read_by(viewer.user) if viewer.user else 0
    address = request.app[ORIGIN].address(request)
    # From here to the joining nothing waits for anything, so that newcomers are counted one by one.
    _check_room_left(request, viewer, address, hub)
    # aiohttp refuses a message of `max_msg_size` bytes or more; ours may have FRAME_MAX.
    ws = StrictWebSocket(compress=False, autoping=False, autoclose=False, max_msg_size=FRAME_MAX + 1, timeout=5)
    await ws.prepare(request)
    ws.conversation = lambda: _converse(request, ws, address, read_id)
    return ws


async def _converse(request: web.Request, ws: StrictWebSocket, address: str, read_id: int) -> None:
    """From the joining to the leaving."""
    transport = request.transport
    if transport is None:
        return
    hub = request.app[HUB]
    connection = _connection(request, transport, address)
    ws.before_closing = lambda: hub.leave(connection)
    if (code := await _why_not(request, connection)) is None:
        _welcome(request, connection, read_id)
    else:
        hub.join(connection)  # so that it is aborted when its peer does not answer
        hub.close(connection, code)
    listener = Listener(request.app, ws, connection, request[VIEWER].language)
    request.clear()  # what was kept of it for its handlers is of no more use, and a socket lives for days
    try:
        await listener.listen()
    finally:
        hub.leave(connection)


def _connection(request: web.Request, transport: asyncio.Transport, address: str) -> Connection:
    viewer = request[VIEWER]
    session_id = viewer.session.id if viewer.session else None
    return Connection(transport, viewer.user, session_id, address, request.app[CLOCK].monotonic())


async def _why_not(request: web.Request, connection: Connection) -> int | None:
    """The code to close with at once; None for who may come in, as the member that they are by now.

    Asked again: what was ended during the handshake has found no connection to close, and must hear
    nothing of the room.
    """
    session = request[VIEWER].session
    if session is None:
        return SESSION_ENDED if request.app[SETTINGS].now.guests == "none" else None
    login = await login_cookie.find(request)
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
            raise DomainError(ErrorCode.BUSY, retry_after_ms=5000)
    if most and len(hub) >= most:
        if viewer.user is None or not hub.give_up_a_guest():
            raise DomainError(ErrorCode.BUSY, retry_after_ms=5000)


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
        "now_ms": app[ENCODER].now_ms(),
        "user": encode.user(user) if user else None,
        "read_id": read_id,
        "limits": encode.limits(app[SETTINGS].now),
        "window": app[ENCODER].window(feed.window) if feed.window else None,
        "announcement": encode.media_url(feed.announcement),
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
