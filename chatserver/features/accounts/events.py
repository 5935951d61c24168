"""The events about a member."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chatserver.core import json
from chatserver.core.events import Audience, Event
from chatserver.core.model import User
from chatserver.http.encode import user_json


@dataclass(frozen=True, slots=True)
class MemberChanged(Event):
    """A member has a new avatar, role or name. `was` is the old name, or "" if the name is unchanged."""

    user: User
    was: str = ""

    def frame(self) -> bytes:
        was = {"was": self.was} if self.was else {}
        return json.dumps({"type": "member", "user": user_json(self.user), **was})


@dataclass(frozen=True, slots=True)
class MemberMuted(Event):
    """Frame `muted`, only to the member, who may not post until `until_ms` (Unix ms); 0: may post again."""

    audience: ClassVar[Audience] = Audience.MEMBER
    user_id: int
    until_ms: int

    def frame(self) -> bytes:
        return json.dumps({"type": "muted", "until_ms": self.until_ms})


@dataclass(frozen=True, slots=True)
class SessionsEnded(Event):
    """These sessions are no longer valid. Their connections are closed with 4401, or with 4403 if `banned`."""

    session_ids: tuple[int, ...]
    banned: bool = False
