"""What one client says, frame by frame, until it goes."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import Any

from aiohttp import WebSocketError, WSCloseCode, WSMessage, WSMsgType, web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.token_bucket import TokenBucket, Verdict
from chatserver.http import frame_commands
from chatserver.http.aiohttp_compat.strict_websocket import StrictWebSocket, enqueue
from chatserver.http.keys import CLOCK, HUB
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection

log = logging.getLogger(__name__)

# Frames of one connection that may be at work at once; the next one is heard when one is done.
AT_WORK_MAX = 64
INVALID_FRAMES_MAX = 10


class Listener:
    """Hears one client's frames in their order.

    A text is heard where it is read from the socket, so that a busy room's messages wait for no task
    to wake up. What cannot be heard at once (too much at work, or not a text) stands in line for `listen`,
    and all that follows behind it.
    """

    __slots__ = (
        "_app",
        "_at_work",
        "_bucket",
        "_connection",
        "_context",
        "_invalid_frames",
        "_language",
        "_one_is_done",
        "_tasks",
        "_ws",
    )  # fmt: skip

    def __init__(self, app: web.Application, ws: StrictWebSocket, connection: Connection, language: str) -> None:
        self._app = app
        self._ws = ws
        self._connection = connection
        self._language = language
        # Whatever is logged of a frame names the request that the conversation began with.
        self._context = contextvars.copy_context()
        self._at_work = 0
        self._one_is_done: asyncio.Future[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._invalid_frames = 0
        self._bucket = TokenBucket(app[CLOCK].monotonic())

    async def listen(self) -> None:
        """Returns when the conversation is over."""
        queue = self._ws.queue
        queue.on_frame = self._handle_at_once
        try:
            while await self._handle(await self._ws.receive()):
                queue.queued -= 1
        finally:
            queue.on_frame = enqueue

    def _handle_at_once(self, message: WSMessage) -> bool:
        """False when it must stand in line."""
        if message.type is not WSMsgType.TEXT or self._at_work >= AT_WORK_MAX:
            return False
        self._handle_text(message.data)
        return True

    async def _handle(self, message: WSMessage) -> bool:
        """False when the conversation is over."""
        match message.type:
            case WSMsgType.TEXT:
                await self._until_fewer_are_at_work()
                self._handle_text(message.data)
            case WSMsgType.BINARY:
                self._close(WSCloseCode.UNSUPPORTED_DATA)
            case WSMsgType.PING:
                if self._is_in_time():
                    self._app[HUB].send(self._connection, frames.pong(bytes(message.data)))
            case WSMsgType.PONG:
                self._is_in_time()
            case WSMsgType.CLOSE:
                await self._answer_close(message.data)
                return False
            case WSMsgType.ERROR if not isinstance(message.data, WebSocketError):
                log.error("WebSocket connection failed", exc_info=message.data)
                return False
            case _:  # a protocol error, which aiohttp has answered, or the end of the stream
                return False
        return True

    def _handle_text(self, text: str) -> None:
        if self._connection.closing_code is not None:
            return  # the closing handshake has begun; what still comes is not heard
        is_in_time = self._is_in_time()
        try:
            frame = frame_commands.parse(text)
        except frame_commands.InvalidFrame:
            self._refuse_invalid()
            return
        if not is_in_time:
            self._refuse(DomainError(ErrorCode.TOO_FAST, retry_after_ms=self._bucket.wait_ms), frame)
            return
        # Neither is waited for, so that a client may send on while its message is on the way to the disk.
        # The database keeps the order in which they were begun.
        self._at_work += 1
        if frame["type"] == frame_commands.POST:
            frame_commands.post(self._app, self._connection, self._language, frame, self._posted)
        else:
            task = asyncio.create_task(
                frame_commands.carry_out(self._app, self._connection, self._language, frame), context=self._context
            )
            self._tasks.add(task)
            task.add_done_callback(self._carried_out)

    def _posted(self, error: BaseException | None) -> None:
        if error is None:
            self._bucket.give_back()
        elif not isinstance(error, DomainError):
            self._context.run(log.error, "message could not be stored", exc_info=error)
        self._done()

    def _carried_out(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._done()

    def _done(self) -> None:
        self._at_work -= 1
        if self._one_is_done is not None and not self._one_is_done.done():
            self._one_is_done.set_result(None)

    async def _until_fewer_are_at_work(self) -> None:
        while self._at_work >= AT_WORK_MAX:
            self._one_is_done = asyncio.get_running_loop().create_future()
            await self._one_is_done

    def _is_in_time(self) -> bool:
        """One frame has come; False when they come too fast. Who does not stop then is closed with 1008."""
        now = self._connection.heard = self._app[CLOCK].monotonic()
        verdict = self._bucket.take(now)
        if verdict is Verdict.CLOSE:
            self._close(WSCloseCode.POLICY_VIOLATION)
        return verdict is Verdict.HEAR

    def _refuse_invalid(self) -> None:
        self._invalid_frames += 1
        self._refuse(DomainError(ErrorCode.BAD_REQUEST if self._connection.user else ErrorCode.LOGIN_REQUIRED), {})
        if self._invalid_frames >= INVALID_FRAMES_MAX:
            self._close(WSCloseCode.POLICY_VIOLATION)

    def _refuse(self, refusal: DomainError, frame: dict[str, Any]) -> None:
        frame_commands.refuse(self._app, self._connection, self._language, frame, refusal)

    def _close(self, code: int) -> None:
        self._app[HUB].close(self._connection, code)

    async def _answer_close(self, code: int | None) -> None:
        """Finish the handshake: with our half if the client began it, else just by hanging up."""
        if self._connection.closing_code is None:
            await self._ws.close(code=code or WSCloseCode.OK, drain=False)
        else:
            self._connection.transport.close()
