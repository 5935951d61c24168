"""What a transaction announces, told to readers and to the server's own parts after its COMMIT.

Each feature defines its event classes beside the rule that announces them. An event is the same for
every reader: it says neither "mine" nor "yours", and carries no translated text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar


class Audience(Enum):
    """Which connections get an event's frame."""

    ALL = auto()
    MEMBER = auto()
    """The connections of one member: the event has a field `user_id`."""
    ADMINISTRATORS = auto()
    """The connections of all administrators."""


class Event:
    """The base of all events. The publisher encodes `frame()` once and sends it to the `audience`."""

    __slots__ = ()
    audience: ClassVar[Audience] = Audience.ALL

    def frame(self) -> bytes | None:
        """The JSON that readers get; None for an event that stays inside the server."""
        return None


@dataclass(frozen=True, slots=True)
class ContentErased(Event):
    """Content left the database: `files` of the media directory must go, and the database must be rewritten.

    `is_urgent`: its author was promised that it is gone within 10 s; else within 60 s.
    """

    files: tuple[str, ...] = ()
    is_urgent: bool = False
