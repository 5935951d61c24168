"""The shapes of section 3 and 4 of the protocol: model and events to JSON, encoded once for all readers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chatserver.core.clock import Clock
from chatserver.core.config import Config
from chatserver.core.events import (
    AnnouncementChanged,
    Event,
    MemberChanged,
    MessageAcknowledged,
    MessageChanged,
    MessageDeleted,
    MessagePosted,
    MessageRecalled,
    MessagesExpired,
    RecallSettled,
    SettingsChanged,
    WindowChanged,
)
from chatserver.core.model import Message, OrderingWindow, State, User

# Nothing of ours holds itself: to look for that is a quarter of the work.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)

_quoted = json.encoder.encode_basestring
_MESSAGE = (
    '{"id":%d,"seq":%d,"state":"%s","kind":"%s","user":%s,"user_id":%d,"role":"%s","avatar":%s,"text":%s'
    ',"image":%s,"thumb":%s,"width":%d,"height":%d,"timestamp":"%s","created_ms":%d,"recall_until_ms":%d'
    ',"reply_to":%s,"client_id":%s,"preset":%s,"closes_ms":%s,"reactions":%s,"recalled_by":%s}'
)


def dumps(value: Any) -> bytes:
    """JSON in UTF-8 that may also stand inside an HTML data block: no `<`, no `>`, no `&`."""
    return _safe(_ENCODER.encode(value))


def _safe(text: str) -> bytes:
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


def listed(encoded: Iterable[bytes]) -> bytes:
    """A JSON list of what is JSON already."""
    return b"[" + b",".join(encoded) + b"]"


def page(messages: bytes, seq: int, first_id: int, epoch: str) -> bytes:
    """A list of messages with the numbers that say where in the room's history they stand: what the API answers."""
    return b'{"messages":%b,%b' % (messages, dumps({"seq": seq, "first_id": first_id, "epoch": epoch})[1:])


def media_url(name: str) -> str:
    return f"/media/{name}" if name else ""


def user(who: User) -> dict[str, Any]:
    return {"id": who.id, "name": who.name, "role": who.role.value, "avatar": media_url(who.avatar)}


def limits(config: Config) -> dict[str, Any]:
    """The settings that a page needs to know."""
    return {
        "send_interval_ms": int(config.send_interval * 1000),
        "recall_ms": int(config.recall_seconds * 1000),
        "text_max": config.text_max,
        "upload_max_bytes": config.upload_max_bytes,
        "image_max_bytes": config.image_max_bytes,
        "history_limit": config.history_limit,
        "history_ms": config.history_ms,
        "window_seconds": config.window_seconds,
    }


class Encoder:
    """Encodes for readers. Holds the time zone of `timestamp` and the clock of `now_ms`."""

    def __init__(self, zone: ZoneInfo, clock: Clock) -> None:
        self._zone = zone
        self._clock = clock
        self._second = -1
        self._shown = ""

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def message(self, message: Message) -> dict[str, Any]:
        """A message in its one shape (section 3)."""
        shape: dict[str, Any] = json.loads(self.encoded(message))
        return shape

    def encoded(self, message: Message) -> bytes:
        """The same as JSON. Filled into a form: a dictionary takes three times as long, for each message."""
        author = message.author
        return _safe(
            _MESSAGE
            % (
                message.id,
                message.seq,
                message.state,
                message.kind,
                _quoted(author.name),
                author.id,
                author.role,
                _quoted(media_url(author.avatar)),
                _quoted(message.text),
                _quoted(media_url(message.image)),
                _quoted(media_url(message.thumb)),
                message.width,
                message.height,
                self._timestamp(message.created_ms // 1000),
                message.created_ms,
                message.recall_until_ms,
                "null" if message.reply_to is None else message.reply_to,
                _quoted(message.client_id),
                f'"{message.preset}"' if message.preset else "null",
                "null" if message.closes_ms is None else message.closes_ms,
                _ENCODER.encode([{"emoji": each.emoji, "users": each.names} for each in message.reactions])
                if message.reactions
                else "[]",
                _quoted(message.ended_by if message.state is State.RECALLED else ""),
            )
        )

    def _timestamp(self, second: int) -> str:
        if second != self._second:  # in a busy room most messages are of the same second
            self._second = second
            self._shown = datetime.fromtimestamp(second, self._zone).strftime("%Y-%m-%d %H:%M:%S")
        return self._shown

    def window(self, window: OrderingWindow) -> dict[str, Any]:
        return {
            "id": window.id,
            "state": "open" if window.is_open else "closed",
            "opened_ms": window.opened_ms,
            "closes_ms": window.closes_ms,
            "now_ms": self._clock.now_ms(),
            "by": window.by,
        }

    def event(self, event: Event, posted: bytes = b"") -> bytes | None:
        """What all readers are told of an event, as JSON; None for what stays inside the server.

        `posted` is the message of a MessagePosted or MessageChanged, encoded before.
        """
        match event:
            case MessagePosted(message) | MessageChanged(message):
                return b'{"type":"message","seq":%d,"message":%b}' % (message.seq, posted)
            case MessageRecalled(message, by):
                return dumps({"type": "recall", "seq": message.seq, "id": message.id, "by": by})
            case MessageDeleted(message, by):
                return dumps({"type": "delete", "seq": message.seq, "id": message.id, "by": by})
            case MessagesExpired(ids, first_id):
                return dumps({"type": "expire", "ids": ids, "first_id": first_id})
            case WindowChanged(window):
                return dumps({"type": "window", **self.window(window)})
            case AnnouncementChanged(image):
                return dumps({"type": "announcement", "image": media_url(image)})
            case MemberChanged(who):
                return dumps({"type": "member", "user": user(who)})
            case SettingsChanged(config):
                return dumps({"type": "limits", "limits": limits(config), "room_name": config.room_name})
            case _:
                return None

    def settled(self, event: RecallSettled) -> bytes:
        return dumps({"type": "settled", "id": event.id})

    def ack(self, event: MessageAcknowledged) -> bytes:
        return b'{"type":"ack","client_id":%b,"id":%d,"seq":%d}' % (dumps(event.client_id), event.id, event.seq)
