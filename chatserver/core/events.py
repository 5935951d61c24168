"""Events: a transaction announces them; readers and other parts of the server get them after its COMMIT.

Each feature defines its event classes beside the rule that announces them. Every reader gets the same event: it does
not say whether something belongs to the reader, and has no translated text.
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
    """Content was erased from the database: now `files` must be deleted from the media directory, and VACUUM must run.

    `is_urgent`: the author was promised that the content is gone within 10 s; else it is gone within 60 s.
    """

    files: tuple[str, ...] = ()
    is_urgent: bool = False
