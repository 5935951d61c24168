"""Frames from a client: which rule each asks for, and how the answer goes back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.messages.post import Draft, Posted
from chatserver.http import responses
from chatserver.http.encode import dumps
from chatserver.http.keys import ENCODER, HUB, METRICS, ROOM, TYPING
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection

POST = "post"
ID_MAX = 2**63 - 1
TYPING_SECONDS = 2.0
# JSON can spell half a character; no frame can carry one.
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)


class InvalidFrame(Exception):
    """Not a frame of this protocol: no JSON object, or of no type that there is."""


def parse(text: str) -> dict[str, Any]:
    """The frame as an object with a known `type`. Raises InvalidFrame."""
    try:
        frame = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise InvalidFrame from None
    if not isinstance(frame, dict) or not isinstance(frame.get("type"), str) or frame["type"] not in TYPES:
        raise InvalidFrame
    return frame


def post(
    app: web.Application,
    connection: Connection,
    language: str,
    frame: dict[str, Any],
    done: Callable[[BaseException | None], None],
) -> None:
    """Ask for a message to be stored. `done` hears what kept it from that, if anything did, once its sender has.

    Not a task like the others: this is what a busy room does all the time.
    """

    def answer(posted: Posted | None, error: BaseException | None) -> None:
        if isinstance(error, DomainError):
            refuse(app, connection, language, frame, error)
        done(error)

    try:
        if connection.user is None:
            raise DomainError(ErrorCode.LOGIN_REQUIRED)
        draft = Draft(_text(frame, "text"), _text(frame, "client_id"), _id(frame, "reply_to", optional=True))
        app[ROOM].posting.submit(connection.user, draft, connection, answer)  # it is told by the publisher
    except DomainError as refusal:
        answer(None, refusal)


async def carry_out(app: web.Application, connection: Connection, language: str, frame: dict[str, Any]) -> None:
    """Do what any other frame asks, or tell its sender why not."""
    try:
        if connection.user is None:
            raise DomainError(ErrorCode.LOGIN_REQUIRED)
        await _COMMANDS[frame["type"]](app, connection, frame)
    except DomainError as refusal:
        refuse(app, connection, language, frame, refusal)


def refuse(
    app: web.Application, connection: Connection, language: str, frame: dict[str, Any], refusal: DomainError
) -> None:
    """Tell the sender of a frame why not, and count it."""
    app[METRICS].refused(refusal.code)
    app[HUB].send(connection, refused(refusal, language, frame))


def refused(refusal: DomainError, language: str, frame: dict[str, Any]) -> bytes:
    """A `refused` frame that names what it refuses the way its sender did."""
    told: dict[str, Any] = {"type": "refused"}
    told.update({name: frame[name] for name in ("client_id", "id") if _can_be_said(frame.get(name))})
    told["code"] = refusal.code.value
    told["message"] = responses.words(refusal, language)
    told["retry_after_ms"] = refusal.details.get("retry_after_ms")
    return frames.text(dumps(told))


async def _recall(app: web.Application, connection: Connection, frame: dict[str, Any]) -> None:
    assert connection.user is not None
    await app[ROOM].recalling.recall(connection.user, _id(frame, "id") or 0)


async def _delete(app: web.Application, connection: Connection, frame: dict[str, Any]) -> None:
    assert connection.user is not None
    await app[ROOM].recalling.delete(connection.user, _id(frame, "id") or 0)


async def _react(app: web.Application, connection: Connection, frame: dict[str, Any]) -> None:
    """`on` (true unless told) puts `emoji` on the message `id`, or takes it off; the answer is the broadcast."""
    assert connection.user is not None
    on = frame.get("on", True)
    if type(on) is not bool:
        raise DomainError(ErrorCode.BAD_REQUEST, field="on")
    await app[ROOM].reacting.react(connection.user, _id(frame, "id") or 0, _text(frame, "emoji"), on)


async def _read(app: web.Application, connection: Connection, frame: dict[str, Any]) -> None:
    """The member has seen everything up to the message `id`."""
    assert connection.user is not None
    await app[ROOM].reacting.note_read(connection.user, _id(frame, "id") or 0)


async def _typing(app: web.Application, connection: Connection, frame: dict[str, Any]) -> None:
    """Told to all, at most once in TYPING_SECONDS for each member; more is dropped without a word."""
    assert connection.user is not None
    interval = app[TYPING]
    if not interval.wait_ms(connection.user.id, TYPING_SECONDS):
        interval.note(connection.user.id)
        await app[ROOM].moderation.check_speaker(connection.user)
        app[HUB].broadcast(frames.text(dumps({"type": "typing", "user": connection.user.name})))


async def _ping(app: web.Application, connection: Connection, frame: dict[str, Any]) -> None:
    t = frame.get("t")
    if not (t is None or (type(t) in (int, float) and abs(t) <= ID_MAX) or (isinstance(t, str) and _is_short(t))):
        raise DomainError(ErrorCode.BAD_REQUEST)
    app[HUB].send(connection, frames.text(dumps({"type": "pong", "t": t, "now_ms": app[ENCODER].now_ms()})))


_COMMANDS = {
    "recall": _recall,
    "delete": _delete,
    "react": _react,
    "read": _read,
    "typing": _typing,
    "ping": _ping,
}
TYPES = {POST, *_COMMANDS}


def _text(frame: dict[str, Any], name: str) -> str:
    value = frame.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return value


def _id(frame: dict[str, Any], name: str, *, optional: bool = False) -> int | None:
    value = frame.get(name)
    if value is None and optional:
        return None
    if type(value) is not int or not 0 < value <= ID_MAX:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return value


def _is_short(text: str) -> bool:
    return len(text) <= 64 and text.isprintable()


def _can_be_said(value: Any) -> bool:
    """True for a text that UTF-8 can write, and for a whole number."""
    return type(value) is int or (isinstance(value, str) and not _SURROGATES.search(value))
