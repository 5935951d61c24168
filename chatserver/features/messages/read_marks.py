"""Read marks: the newest message that each member has seen, on any device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chatserver.core import json
from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.events import Audience, Event
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.messages import store
from chatserver.http.client_frame import ClientFrame

CACHED_MEMBERS_MAX = 20_000


@dataclass(frozen=True, slots=True)
class MarkedRead(Event):
    """The member has read up to message `id`, on one of their devices. Frame `read`, for all of them."""

    audience: ClassVar[Audience] = Audience.MEMBER
    id: int
    user_id: int

    def frame(self) -> bytes:
        return json.dumps({"type": "read", "id": self.id})


class ReadMarks:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache: BoundedDict[int, int] = BoundedDict(CACHED_MEMBERS_MAX)

    async def mark(self, actor: User, message_id: int) -> None:
        """Record that the member has seen all messages up to `message_id`. A mark never moves back.

        Raises DomainError `banned`.
        """
        if message_id > await self.of_member(actor):
            await self._database.run(lambda tx: _mark(tx, actor, message_id))
            self._cache.pop(actor.id, None)

    async def of_member(self, user: User) -> int:
        """The id of the newest message that this member has seen; 0 for none. Cached after the first call."""
        known = self._cache.get(user.id)
        if known is None:
            known = self._cache[user.id] = await self._database.run(lambda tx: _read_id(tx, user.id))
        return known

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "read", "id": N}`; all devices of the member get a frame `read` if the mark moved."""
        await self.mark(frame.user, frame.id("id"))

    FRAMES = {"read": on_frame}


def _mark(tx: Transaction, actor: User, message_id: int) -> None:
    actor = permissions.require_member(tx, actor)
    read_id = min(message_id, store.last_id(tx))
    moved = tx.execute("UPDATE users SET read_id = ? WHERE id = ? AND read_id < ?", (read_id, actor.id, read_id))
    if moved.rowcount:
        tx.announce(MarkedRead(read_id, actor.id))


def _read_id(tx: Transaction, user_id: int) -> int:
    row = tx.one("SELECT read_id FROM users WHERE id = ?", (user_id,))
    return row[0] if row else 0
