"""The shapes of section 3 and 4 of the protocol: model and events to JSON, encoded once for all readers."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chatserver.clock import Clock
from chatserver.config import Config
from chatserver.events import (
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
from chatserver.model import Message, OrderingWindow, State, User

# Nothing of ours holds itself: to look for that is a quarter of the work.
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)


def dumps(value: Any) -> bytes:
    """JSON in UTF-8 that may also stand inside an HTML data block: no `<`, no `>`, no `&`."""
    text = _ENCODER.encode(value)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


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


class Wire:
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
        author = message.author
        return {
            "id": message.id,
            "seq": message.seq,
            "state": message.state.value,
            "kind": message.kind.value,
            "user": author.name,
            "user_id": author.id,
            "role": author.role.value,
            "avatar": media_url(author.avatar),
            "text": message.text,
            "image": media_url(message.image),
            "thumb": media_url(message.thumb),
            "width": message.width,
            "height": message.height,
            "timestamp": self._timestamp(message.created_ms // 1000),
            "created_ms": message.created_ms,
            "recall_until_ms": message.recall_until_ms,
            "reply_to": message.reply_to,
            "client_id": message.client_id,
            "preset": message.preset and message.preset.value,
            "closes_ms": message.closes_ms,
            "reactions": [{"emoji": each.emoji, "users": each.names} for each in message.reactions],
            "recalled_by": message.ended_by if message.state is State.RECALLED else "",
        }

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
