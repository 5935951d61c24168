"""The data types that all features share. They are immutable, so that connections and caches can share one object.

Types created for each message are named tuples, because creating a frozen dataclass takes six times as long.

Fields ending in `_ms` are Unix milliseconds. `image`, `thumb` and `avatar` are names relative to the
media directory ("images/….webp"), or "" if there is no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """The permissions of a member, as the database stores them."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    BOT = "bot"
    """A program with a token that administrators created; it has no password."""


class State(StrEnum):
    LIVE = "live"
    RECALLED = "recalled"
    DELETED = "deleted"


class Kind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    PRESET = "preset"
    ORDER = "order"


class Preset(StrEnum):
    """The content of a message of kind `preset`."""

    START = "start"
    STOP = "stop"
    COUNTDOWN = "countdown"
    PICTURE = "picture"
    AMENDED = "amended"
    """A ledger was changed after its window had closed."""


class User(NamedTuple):
    id: int
    name: str
    role: Role
    avatar: str = ""

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR

    @property
    def is_bot(self) -> bool:
        return self.role is Role.BOT


# The emoji of reactions, in the order of display.
REACTIONS = ("👍", "❤️", "😂", "😮", "😢", "🎉")


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji under a message, and the names of the members who added it."""

    emoji: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredImage:
    """The file names and the size in pixels of a picture that is stored in the media directory."""

    image: str
    thumb: str
    width: int
    height: int


class AddedFields(NamedTuple):
    """The fields that use cases add to a message, each named here alone.

    A field is a column that may be NULL, and a field of the JSON and of an export, all of its name. A recall or a
    deletion sets it to NULL. `edited_ms`: when the author last corrected the text.
    """

    edited_ms: int | None = None


NOTHING_ADDED = AddedFields()


class Message(NamedTuple):
    """A message as every reader may see it: a recalled or deleted message has no content.

    `ended_by` is the name of the member who recalled or deleted it. `window_id` is the ordering window that a preset
    is about; `closes_ms` is the end of that window as it was planned then. `album` is the common id of pictures
    that one author sent together. `extra` is a JSON object of the fields that few kinds of message have, or "".
    """

    id: int
    seq: int
    state: State
    kind: Kind
    author: User
    text: str
    image: str
    thumb: str
    width: int
    height: int
    created_ms: int
    recall_until_ms: int
    reply_to: int | None
    client_id: str
    preset: Preset | None = None
    closes_ms: int | None = None
    window_id: int | None = None
    album: str | None = None
    reactions: tuple[Reaction, ...] = ()
    ended_by: str = ""
    extra: str = ""
    added: AddedFields = NOTHING_ADDED


# The added fields that readers see, while they are not NULL, as a word beside the message: the sentence
# `script.mark_WORD`. The room page's own list is MARKS in static/js/room.js.
MARKS = {"edited_ms": "edited"}


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one member, on one device; or a bot's token, whose `id` is negative."""

    id: int
    user: User
    created_ms: int
    seen_ms: int
    expires_ms: int
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, oldest first, with their position in the history: the last `seq`, the first id, the epoch."""

    messages: tuple[Message, ...]
    seq: int
    first_id: int
    epoch: str
