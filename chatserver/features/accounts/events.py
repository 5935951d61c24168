"""What changes of a member are announced."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.core import json
from chatserver.core.events import Event
from chatserver.core.model import User
from chatserver.http.encode import user_json


@dataclass(frozen=True, slots=True)
class MemberChanged(Event):
    """A member has a new avatar or role."""

    user: User

    def frame(self) -> bytes:
        return json.dumps({"type": "member", "user": user_json(self.user)})


@dataclass(frozen=True, slots=True)
class SessionsEnded(Event):
    """These sessions are no longer valid; their connections are closed with 4401, or with 4403 where `banned`."""

    session_ids: tuple[int, ...]
    banned: bool = False
