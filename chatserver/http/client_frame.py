"""A frame from a client, as a feature's handler gets it; and the fields of any JSON object that a client sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.core.numbers import ID_MAX
from chatserver.realtime.connection import Connection

# Called when a frame is done, with what kept it from being done, if anything did.
Done = Callable[[BaseException | None], None]


class Direct(NamedTuple):
    """A handler `(frame, done)` that runs in the callback that read the frame, without a task.

    For what a busy room does all the time. Other handlers are coroutines `(frame)`, a task each.
    """

    handler: Callable[..., Any]


class InvalidFrame(Exception):
    """No frame of the protocol: no JSON object, or of an unknown type."""


class Replies(Protocol):
    """How a frame is answered: see FrameReader."""

    connection: Connection

    def send(self, payload: bytes) -> None: ...
    def reply(self, payload: bytes) -> None: ...
    def refusal(self, error: DomainError, fields: dict[str, Any]) -> bytes: ...


class JsonFields:
    """A JSON object as a client sent it. The readers of fields raise DomainError `bad_request` (`field`)."""

    __slots__ = ("fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def text(self, name: str) -> str:
        """The field's text; "" where it is absent or null."""
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
        """The same; None where the field is absent or null."""
        return None if self.fields.get(name) is None else self.id(name)


class ClientFrame(JsonFields):
    """`fields` is the JSON object as sent."""

    __slots__ = ("_replies",)

    def __init__(self, fields: dict[str, Any], replies: Replies) -> None:
        super().__init__(fields)
        self._replies = replies

    @property
    def user(self) -> User:
        """The member who sent it: frames of guests reach no handler."""
        user = self._replies.connection.user
        assert user is not None
        return user

    def send(self, payload: bytes) -> None:
        """Send JSON to the sender now."""
        self._replies.send(payload)

    def reply(self, payload: bytes) -> None:
        """Send JSON to the sender after the events of the transaction that was just committed."""
        self._replies.reply(payload)

    def refuse(self, error: DomainError) -> None:
        """Send a `refused` frame, which names this frame as its sender did, now."""
        self.send(self._replies.refusal(error, self.fields))

    def reply_refusal(self, error: DomainError) -> None:
        """The same after the events of the transaction that was just committed."""
        self.reply(self._replies.refusal(error, self.fields))


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_reject_constant)


# RFC 8259, section 2.
_WHITE_SPACE = " \t\n\r"


def parse(text: str) -> dict[str, Any]:
    """The frame's object, which has a text `type`. Raises InvalidFrame."""
    text = text.strip(_WHITE_SPACE)
    try:
        fields, end = _DECODER.raw_decode(text)  # `decode` skips white space with two regular expressions
    except (ValueError, RecursionError):
        raise InvalidFrame from None
    if end != len(text) or not isinstance(fields, dict) or not isinstance(fields.get("type"), str):
        raise InvalidFrame
    return fields
