"""A message as JSON, and the base class of the events that change a message. It is encoded once for all readers."""

from __future__ import annotations

import json as stdlib_json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from chatserver.core import json
from chatserver.core.events import Event
from chatserver.core.json import encode_text, encode_value
from chatserver.core.model import NOTHING_ADDED, AddedFields, Message, Reaction, State

# Section 3 of the protocol, field by field. A dictionary would take three times as long to encode.
_HEAD = (
    '{"id":%d,"seq":%d,"state":"%s","kind":"%s","user":%s,"user_id":%d,"role":"%s","avatar":%s,"text":%s'
    ',"image":%s,"thumb":%s,"width":%d,"height":%d,"timestamp":"%s","created_ms":%d,"recall_until_ms":%d'
    ',"reply_to":%s,"client_id":%s,"preset":%s,"closes_ms":%s,"window_id":%s,"album":%s'
)
_TAIL = ',"reactions":%s,"recalled_by":%s%s}'

# Maximum size of the messages in one response: half of the bytes that may wait to be read by one address
# (http/http_connections.py).
ANSWER_BYTES_MAX = 8 * 1024 * 1024

Encode = Callable[[Message], bytes]


class MessageEncoder:
    """`encoder(message)` is the message as JSON in UTF-8. Holds the time zone of `timestamp`."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._second = -1
        self._timestamp = ""

    def __call__(self, message: Message) -> bytes:
        # Unpacked in one step, because reading two dozen fields by name takes as long as the formatting.
        (
            message_id, seq, state, kind, author, text, image, thumb, width, height, created_ms, recall_until_ms,
            reply_to, client_id, preset, closes_ms, window_id, album, reactions, ended_by, extra, added,
        ) = message  # fmt: skip
        user_id, name, role, avatar = author
        if created_ms // 1000 != self._second:  # most messages of a busy room are of the same second
            self._second = created_ms // 1000
            self._timestamp = datetime.fromtimestamp(self._second, self._zone).strftime("%Y-%m-%d %H:%M:%S")
        return json.escape_html(
            (_SHAPE if added == NOTHING_ADDED else _shape(added))
            % (
                message_id,
                seq,
                state,
                kind,
                encode_text(name),
                user_id,
                role,
                encode_text(f"/media/{avatar}") if avatar else '""',
                encode_text(text),
                encode_text(f"/media/{image}") if image else '""',
                encode_text(f"/media/{thumb}") if thumb else '""',
                width,
                height,
                self._timestamp,
                created_ms,
                recall_until_ms,
                "null" if reply_to is None else reply_to,
                encode_text(client_id),
                f'"{preset}"' if preset else "null",
                "null" if closes_ms is None else closes_ms,
                "null" if window_id is None else window_id,
                f'"{album}"' if album else "null",
                encode_value(reactions_json(reactions)) if reactions else "[]",
                encode_text(ended_by if state is State.RECALLED else ""),
                f",{extra[1:-1]}" if extra else "",
            )
        )

    def as_dict(self, message: Message) -> dict[str, Any]:
        """The message as a dictionary, for a response that adds fields."""
        shape: dict[str, Any] = stdlib_json.loads(self(message))
        return shape


def _shape(added: AddedFields) -> str:
    """The format of a message whose added fields have these values."""
    fields = "".join(f',"{name}":{encode_value(value)}' for name, value in added._asdict().items())
    return _HEAD + fields.replace("%", "%%") + _TAIL


_SHAPE = _shape(NOTHING_ADDED)  # that of most messages


def reactions_json(reactions: Iterable[Reaction]) -> list[dict[str, Any]]:
    return [{"emoji": each.emoji, "users": each.names} for each in reactions]


@dataclass(slots=True, eq=False)
class MessageChange(Event):
    """A message was posted or changed. The base class of the events that give a message a new `seq`.

    `encode` runs at most once, on the event loop, when the publisher or the recent messages first read `json`.
    """

    message: Message
    _encode: Encode
    _json: bytes | None = field(init=False, default=None)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, MessageChange) and other.message == self.message

    def __hash__(self) -> int:
        return hash((type(self), self.message))

    @property
    def json(self) -> bytes:
        """The message as readers get it."""
        if self._json is None:
            self._json = self._encode(self.message)
        return self._json

    def frame(self) -> bytes:
        return b'{"type":"message","seq":%d,"message":%b}' % (self.message.seq, self.json)


class TextReplaced(MessageChange):
    """The base class of changes that replace the text of a message, so that the old text must be shown no more."""

    __slots__ = ()


@dataclass(slots=True, eq=False)
class MessageEmptied(MessageChange):
    """The base class of recall and delete. `message`: the row that is left, empty; `by`: the name of the actor."""

    frame_type: ClassVar[str]
    by: str

    def frame(self) -> bytes:
        return json.dumps({"type": self.frame_type, "seq": self.message.seq, "id": self.message.id, "by": self.by})


def newest_within(bytes_max: int, encoded: Sequence[bytes]) -> Sequence[bytes]:
    """The newest of the encoded messages that fit into `bytes_max` together; at least one message."""
    total = 0
    for number, each in enumerate(reversed(encoded)):
        total += len(each) + 1
        if total > bytes_max and number:
            return encoded[-number:]
    return encoded


def page_json(messages: bytes, seq: int, first_id: int, epoch: str) -> bytes:
    """The API's answer: a JSON list of messages, with the numbers of their place in the history."""
    return b'{"messages":%b,%b' % (messages, json.dumps({"seq": seq, "first_id": first_id, "epoch": epoch})[1:])
