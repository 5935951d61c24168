"""Parses and counts the frames of one connection, and gives them to the handlers of the features.

Also reads the fields of any JSON object that a client sent.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from json import JSONDecoder
from json.scanner import make_scanner
from typing import Any, NamedTuple

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import Code, DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.core.numbers import ID_MAX
from chatserver.core.rate_limit import SharedBuckets, TokenBucket, Verdict
from chatserver.http import responses
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import Publisher

log = logging.getLogger(__name__)

# The most frames of one connection that are handled at the same time. The connection reads no more frames until one is
# done.
AT_WORK_MAX = 64
INVALID_FRAMES_MAX = 10
# A guest's page sends no frames, so each frame of a guest is refused. After this number the connection is closed.
GUEST_FRAMES_MAX = 100

# Close codes (RFC 6455, section 7.4.1).
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011

# Called when the work for a frame has ended, with the error, or None if there was no error.
Done = Callable[[BaseException | None], None]


class Direct(NamedTuple):
    """A handler `(frame, done)` that runs in the callback that read the frame, without a task.

    It is for frames that a busy room sends all the time. Other handlers are coroutines `(frame)`, each run in a task.
    """

    handler: Callable[..., Any]


class JsonFields:
    """A JSON object as a client sent it. The methods that read a field raise DomainError `bad_request` (`field`)."""

    __slots__ = ("fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def text(self, name: str) -> str:
        """The field's text; "" if it is absent or null."""
        value = self.fields.get(name)
        if isinstance(value, str):
            return value
        if value is None:
            return ""
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)

    def id(self, name: str) -> int:
        """The field's id, 1 or more."""
        value = self.fields.get(name)
        if type(value) is not int or not 0 < value <= ID_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field=name)
        return value

    def optional_id(self, name: str) -> int | None:
        """The field's id, 1 or more; None if the field is absent or null."""
        return None if self.fields.get(name) is None else self.id(name)


class ClientFrame(JsonFields):
    """`fields` is the JSON object as sent."""

    __slots__ = ("_reader",)

    def __init__(self, fields: dict[str, Any], reader: FrameReader) -> None:
        self.fields = fields
        self._reader = reader

    @property
    def user(self) -> User:
        """The member who sent the frame. There always is one, because frames of guests reach no handler."""
        user = self._reader.connection.user
        assert user is not None
        return user

    def send(self, payload: bytes) -> None:
        """Send JSON to the sender now."""
        self._reader.send(payload)

    def reply(self, payload: bytes) -> None:
        """Send JSON to the sender after the events of the transaction that was just committed."""
        reader = self._reader
        reader.context.publisher.replies[reader.connection].append(payload)

    def refuse(self, error: DomainError) -> None:
        """Send a `refused` frame now, with the `client_id` and the `id` that the sender gave this frame."""
        self.send(self._reader.refusal(error, self.fields))

    def reply_refusal(self, error: DomainError) -> None:
        """Send a `refused` frame after the events of the transaction that was just committed."""
        self.reply(self._reader.refusal(error, self.fields))


FrameHandler = Callable[[ClientFrame], Awaitable[None]] | Direct


@dataclass(frozen=True, slots=True)
class FrameContext:
    """The objects that all connections share. `handlers`: type of frame -> handler, bound to its feature."""

    hub: Hub
    publisher: Publisher
    clock: Clock
    handlers: Mapping[str, FrameHandler]
    count_error: Callable[[Code], None]
    buckets: SharedBuckets = field(default_factory=SharedBuckets)


class FrameReader:
    """The receiver of one connection. Frames are handled in their order, in the callback that read them.

    While AT_WORK_MAX frames are being handled, the connection is not read. So further frames of its client wait in the
    kernel's buffers, and then at the client.
    """

    __slots__ = (
        "_at_work", "_bucket", "_control_bucket", "_guest_frames", "_invalid_frames", "_is_paused",
        "_is_resuming", "_language", "_request_context", "_tasks", "connection", "context",
    )  # fmt: skip

    def __init__(self, context: FrameContext, connection: Connection, language: str) -> None:
        self.connection = connection
        self.context = context
        self._language = language
        # Log lines and audit records of a frame name the request that opened the connection.
        self._request_context = contextvars.copy_context()
        self._at_work = 0
        self._is_paused = self._is_resuming = False
        self._tasks: set[asyncio.Task[None]] | None = None
        self._invalid_frames = 0
        self._guest_frames = 0
        now, user = context.clock.monotonic(), connection.user
        self._bucket = context.buckets.of(user.id if user else connection.address, now)
        # Pongs of guests are counted per connection, because a thousand guests behind one address answer the server's
        # pings.
        self._control_bucket = self._bucket if user else TokenBucket(now)

    def text_received(self, text: str) -> None:
        if self.connection.closing_code is not None:
            return  # the closing handshake has begun; later frames are dropped
        try:
            self._handle(text)
        except Exception:  # a bug in this program, which must affect only this client
            self._request_context.run(log.exception, "a connection failed")
            self.close(INTERNAL_ERROR)

    def fragment_received(self) -> None:
        """Count the fragment, because a message may have any number of empty fragments."""
        self._is_within_rate(self._control_bucket)

    def ping_received(self, payload: bytes) -> None:
        if self._is_within_rate(self._control_bucket):
            self.context.hub.send(self.connection, frames.pong(payload))

    def pong_received(self) -> None:
        self._is_within_rate(self._control_bucket)

    def close(self, code: int) -> None:
        self.context.hub.close(self.connection, code)

    def connection_lost(self) -> None:
        self.context.hub.leave(self.connection)

    def send(self, payload: bytes) -> None:
        self.context.hub.send(self.connection, frames.text(payload))

    def refusal(self, error: DomainError, fields: dict[str, Any]) -> bytes:
        """Encode the `refused` frame for the client's frame `fields`, and count the error."""
        self.context.count_error(error.code)
        return _refused(error, self._language, fields)

    def _handle(self, text: str) -> None:
        frame = self._parsed(text)
        is_within_rate = self._is_within_rate(self._bucket)
        handler = self.context.handlers.get(frame.fields["type"]) if frame else None
        if frame is None or handler is None:
            self._refuse_invalid()
        elif not is_within_rate:
            self._refuse(DomainError(ErrorCode.TOO_FAST, retry_after_ms=self._bucket.wait_ms), frame.fields)
        elif self.connection.user is None:
            self._refuse_guest(frame.fields)
        else:
            # The task is not awaited, so that the client's next frame can be handled while this message is written to
            # the disk. The database keeps the order in which the handlers were started.
            self._at_work += 1
            if self._at_work >= AT_WORK_MAX:
                self._is_paused = True
                self.connection.pause_reading()
            if isinstance(handler, Direct):
                self._request_context.run(handler.handler, frame, self._direct_done)
            else:
                self._begin_task(handler, frame)

    def _parsed(self, text: str) -> ClientFrame | None:
        """Parse the frame's JSON object, which must have a text `type`; None for any other text."""
        text = text.strip(_WHITE_SPACE)
        try:
            fields, end = _scan(text, 0)
        except (StopIteration, ValueError, RecursionError):
            return None
        if end != len(text) or not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
            return None
        return ClientFrame(fields, self)

    def _begin_task(self, handler: Callable[[ClientFrame], Awaitable[None]], frame: ClientFrame) -> None:
        task = asyncio.create_task(_run(handler, frame), context=self._request_context)
        if self._tasks is None:
            self._tasks = set()
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _direct_done(self, error: BaseException | None) -> None:
        if error is None:
            self._bucket.tokens += 1
        elif not isinstance(error, DomainError):
            self._request_context.copy().run(log.error, "message could not be stored", exc_info=error)
        self._done()

    def _task_done(self, task: asyncio.Task[None]) -> None:
        if self._tasks is not None:
            self._tasks.discard(task)
        self._done()

    def _done(self) -> None:
        self._at_work -= 1
        if self._is_paused and not self._is_resuming:
            # Resume in a later tick, because this may be called while the answers of a batch are still being collected.
            self._is_resuming = True
            asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        self._is_resuming = False
        if self._at_work < AT_WORK_MAX:
            self._is_paused = False
            self.connection.resume_reading()

    def _is_within_rate(self, bucket: TokenBucket) -> bool:
        """Count one frame. False if frames come too fast; a client that continues then is closed with 1008."""
        now = self.connection.received_at = self.context.clock.monotonic()
        verdict = bucket.take(now)
        if verdict is Verdict.CLOSE:
            self.close(POLICY_VIOLATION)
        return verdict is Verdict.ALLOW

    def _refuse_guest(self, fields: dict[str, Any]) -> None:
        self._guest_frames += 1
        self._refuse(DomainError(ErrorCode.LOGIN_REQUIRED), fields)
        if self._guest_frames >= GUEST_FRAMES_MAX:
            self.close(POLICY_VIOLATION)

    def _refuse_invalid(self) -> None:
        self._invalid_frames += 1
        code = ErrorCode.BAD_REQUEST if self.connection.user else ErrorCode.LOGIN_REQUIRED
        self._refuse(DomainError(code), {})
        if self._invalid_frames >= INVALID_FRAMES_MAX:
            self.close(POLICY_VIOLATION)

    def _refuse(self, error: DomainError, fields: dict[str, Any]) -> None:
        self.send(self.refusal(error, fields))


async def _run(handler: Callable[[ClientFrame], Awaitable[None]], frame: ClientFrame) -> None:
    try:
        await handler(frame)
    except DomainError as error:
        frame.refuse(error)


def _refused(error: DomainError, language: str, fields: dict[str, Any]) -> bytes:
    """A `refused` frame, with the `client_id` and the `id` that the sender gave the refused frame."""
    refused: dict[str, Any] = {"type": "refused", **error.details}
    refused.update({name: fields[name] for name in ("client_id", "id") if _can_be_sent_back(fields.get(name))})
    refused["code"] = error.code.value
    refused["message"] = responses.message(error, language)
    refused["retry_after_ms"] = error.details.get("retry_after_ms")
    return json.dumps(refused)


def _can_be_sent_back(value: Any) -> bool:
    """True for a text that UTF-8 can encode, and for a whole number."""
    return type(value) is int or (isinstance(value, str) and json.is_encodable(value))


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


# RFC 8259, section 2.
_WHITE_SPACE = " \t\n\r"
# The C function that `decode` calls. `decode` also skips white space, with two regular expressions.
_scan = make_scanner(JSONDecoder(parse_constant=_reject_constant))  # type: ignore[arg-type] # it takes a decoder
