"""React to a message with an emoji."""

from __future__ import annotations

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import REACTIONS, Message, State, User
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.messages import store
from chatserver.features.messages.encode import MessageChange, MessageEncoder, reactions_json
from chatserver.http.client_frame import ClientFrame

# A rate limit, because each reaction is broadcast to every reader: fast enough for a person, too slow for a script.
REACTIONS_MAX, REACTIONS_SECONDS = 20, 10.0


class ReactionsChanged(MessageChange):
    """The reactions of a live message were changed.

    Frame `reactions`. It leaves out the text, which may be 8 KB and which readers already have.
    """

    __slots__ = ()

    def frame(self) -> bytes:
        message = self.message
        reactions = reactions_json(message.reactions)
        return json.dumps({"type": "reactions", "seq": message.seq, "id": message.id, "reactions": reactions})


class React:
    def __init__(self, database: Database, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._clock = clock
        self._encoder = encoder
        self._limit = AttemptLimit(clock, REACTIONS_MAX, REACTIONS_SECONDS)

    async def react(self, actor: User, message_id: int, emoji: str, on: bool) -> Message:
        """Add `emoji` (one of REACTIONS) to a live message, or remove it. A repeated call changes nothing.

        Raises DomainError: `bad_request`, `not_found`, `gone` (recalled or deleted), `muted`, `banned`,
        and `too_fast` beyond 20 in 10 s.
        """
        if emoji not in REACTIONS:
            raise DomainError(ErrorCode.BAD_REQUEST, field="emoji")
        wait_ms = self._limit.wait_ms(str(actor.id))
        if wait_ms:
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        self._limit.record(str(actor.id))
        return await self._database.run(lambda tx: self._react(tx, actor, message_id, emoji, on))

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "react", "id": N, "emoji": "…", "on": true}` (`on` is optional); answered by the broadcast."""
        user = frame.user
        on = frame.fields.get("on", True)
        if type(on) is not bool:
            raise DomainError(ErrorCode.BAD_REQUEST, field="on")
        await self.react(user, frame.id("id"), frame.text("emoji"), on)

    def _react(self, tx: Transaction, actor: User, message_id: int, emoji: str, on: bool) -> Message:
        actor = permissions.require_speaker(tx, actor, self._clock.now_ms())
        message = store.get(tx, message_id)
        if message is None:
            raise DomainError(ErrorCode.NOT_FOUND, reason="message")
        if message.state is not State.LIVE:
            raise DomainError(ErrorCode.GONE)
        change = _add if on else _remove
        if change(tx, message_id, emoji, actor.id):
            message = store.stamp(tx, message_id)
            tx.announce(ReactionsChanged(message, self._encoder))
        return message

    FRAMES = {"react": on_frame}


def _add(tx: Transaction, message_id: int, emoji: str, user_id: int) -> bool:
    """Add a reaction; False if it was already there."""
    added = tx.execute(
        "INSERT INTO reactions (message_id, emoji, user_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (message_id, emoji, user_id),
    )
    return added.rowcount > 0


def _remove(tx: Transaction, message_id: int, emoji: str, user_id: int) -> bool:
    """Remove a reaction; False if it was not there."""
    removed = tx.execute(
        "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?", (message_id, emoji, user_id)
    )
    return removed.rowcount > 0
