"""Answering a message with an emoji, and noting how far a member has read."""

from __future__ import annotations

from collections import OrderedDict

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import MessageChanged
from chatserver.core.model import REACTIONS, Message, State, User
from chatserver.core.rate_limit import AttemptLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import reaction_rows, store

# Each one is told to every reader: a member may toggle this often, not as fast as a script can.
MOST, SECONDS = 20, 10.0
KNOWN_MAX = 20_000


class Reacting:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._often = AttemptLimit(clock, MOST, SECONDS)
        self._known: OrderedDict[int, int] = OrderedDict()

    async def react(self, actor: User, message_id: int, emoji: str, on: bool) -> Message:
        """Put `emoji` (one of REACTIONS) on a live message, or take it off. Again: nothing changes.

        Refuses with `bad_request`, `not_found`, `gone` (recalled or deleted), `muted`, `banned`,
        and `too_fast` beyond 20 in 10 s.
        """
        if emoji not in REACTIONS:
            raise DomainError(ErrorCode.BAD_REQUEST, field="emoji")
        wait_ms = self._often.wait_ms(str(actor.id))
        if wait_ms:
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        self._often.note(str(actor.id))
        return await self._database.run(lambda tx: self._react(tx, actor, message_id, emoji, on))

    async def note_read(self, actor: User, message_id: int) -> None:
        """The member has seen everything up to this message. It never goes back. Refuses with `banned`."""
        if message_id > await self.read_by(actor):
            await self._database.run(lambda tx: _note_read(tx, actor, message_id))
            self._known.pop(actor.id, None)

    async def read_by(self, user: User) -> int:
        """The newest message that this member has seen; 0 for none. Known after the first time."""
        known = self._known.get(user.id)
        if known is None:
            known = self._known[user.id] = await self._database.run(lambda tx: account_store.read_id(tx, user.id))
            if len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return known

    def _react(self, tx: Transaction, actor: User, message_id: int, emoji: str, on: bool) -> Message:
        actor = permissions.speaker(tx, actor, self._clock.now_ms())
        message = store.get(tx, message_id)
        if message is None:
            raise DomainError(ErrorCode.NOT_FOUND)
        if message.state is not State.LIVE:
            raise DomainError(ErrorCode.GONE)
        change = reaction_rows.add if on else reaction_rows.remove
        if change(tx, message_id, emoji, actor.id):
            message = store.stamp(tx, message_id)
            tx.announce(MessageChanged(message))
        return message


def _note_read(tx: Transaction, actor: User, message_id: int) -> None:
    actor = permissions.member(tx, actor)
    account_store.note_read(tx, actor.id, min(message_id, store.last_id(tx)))
