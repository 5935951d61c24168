"""The nouns of the room. Frozen, so that one object can be shown to every reader at once.

What is made anew for each message is a named tuple: a frozen dataclass takes six times as long to make.

Times ending in `_ms` are Unix milliseconds. `image`, `thumb` and `avatar` are names relative to
the media directory ("images/….webp"), or "" where there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Role(StrEnum):
    """What a member may do. It comes from the database, never from a name."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"


class State(StrEnum):
    LIVE = "live"
    RECALLED = "recalled"
    DELETED = "deleted"


class Kind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    PRESET = "preset"


class Preset(StrEnum):
    """What a message of kind `preset` says."""

    START = "start"
    STOP = "stop"
    COUNTDOWN = "countdown"
    PICTURE = "picture"


class User(NamedTuple):
    id: int
    name: str
    role: Role
    avatar: str = ""

    @property
    def is_administrator(self) -> bool:
        return self.role is Role.ADMINISTRATOR


# What a message can be answered with, in the order in which it is shown.
REACTIONS = ("👍", "❤️", "😂", "😮", "😢", "🎉")


@dataclass(frozen=True, slots=True)
class Reaction:
    """One emoji under a message, and the names of those who put it there."""

    emoji: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A picture that already lies in the media directory, whole and on disk."""

    image: str
    thumb: str
    width: int
    height: int


class Message(NamedTuple):
    """A message as every reader may see it: recalled and deleted ones are empty.

    `ended_by` names who recalled or deleted it.
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
    reactions: tuple[Reaction, ...] = ()
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class OrderingWindow:
    """The span in which members may order. Open until `closes_ms`, or until somebody closes it."""

    id: int
    opened_ms: int
    closes_ms: int
    is_open: bool
    by: str


@dataclass(frozen=True, slots=True)
class Session:
    """One login of one member, on one device."""

    id: int
    user: User
    created_ms: int
    seen_ms: int
    expires_ms: int
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, oldest first, with the numbers that say where in the room's history they stand."""

    messages: tuple[Message, ...]
    seq: int
    first_id: int
    epoch: str
