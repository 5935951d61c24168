"""Taking back (recall: by the author in time, by administrators always) and deleting."""

from __future__ import annotations

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased, MessageDeleted, MessageRecalled, RecallSettled
from chatserver.core.model import Message, State, User
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.messages import store


class Recalling:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # What closed while the server was down needs no word: nobody was connected to hear it.
        self._settled_until_ms = clock.now_ms()

    async def recall(self, actor: User, message_id: int) -> Message:
        """Take a message back: what remains says only that there was one.

        Refuses with `not_yours`, `recall_expired`, `not_found`, `gone`. Again: the same answer.
        """
        return await self._database.run(lambda tx: self._recall(tx, actor, message_id), frees=True)

    async def delete(self, actor: User, message_id: int) -> Message:
        """Take a message out of the lists. Refuses with `not_yours`, `not_found`, `gone`. Again: the same answer."""
        return await self._database.run(lambda tx: self._delete(tx, actor, message_id), frees=True)

    async def settle(self) -> None:
        """Tell the authors of messages whose recall window has closed since the last time."""
        await self._database.run(self._settle)

    async def next_settling(self) -> int | None:
        return await self._database.run(lambda tx: store.next_settling(tx, self._settled_until_ms))

    def _recall(self, tx: Transaction, actor: User, message_id: int) -> Message:
        actor = permissions.member(tx, actor)
        files = store.files_of(tx, message_id)
        message = store.recall(tx, message_id, actor, self._clock.now_ms())
        if message is None:
            return self._why_not(tx, actor, message_id, State.RECALLED)
        tx.announce(MessageRecalled(message, actor.name))
        tx.announce(ContentErased(files))
        return message

    def _delete(self, tx: Transaction, actor: User, message_id: int) -> Message:
        actor = permissions.member(tx, actor)
        files = store.files_of(tx, message_id)
        message = store.delete(tx, message_id, actor)
        if message is None:
            return self._why_not(tx, actor, message_id, State.DELETED)
        tx.announce(MessageDeleted(message, actor.name))
        tx.announce(ContentErased(files))
        return message

    def _why_not(self, tx: Transaction, actor: User, message_id: int, wanted: State) -> Message:
        """The message, if it already is as wanted; else the refusal that says why it is not."""
        message = store.get(tx, message_id)
        if message is None:
            expired = 0 < message_id < sequence.read(tx).first_id
            raise DomainError(ErrorCode.GONE if expired else ErrorCode.NOT_FOUND)
        if message.author.id != actor.id and not actor.is_administrator:
            raise DomainError(ErrorCode.NOT_YOURS)
        if message.state is wanted:
            return message
        raise DomainError(ErrorCode.GONE if message.state is State.DELETED else ErrorCode.RECALL_EXPIRED)

    def _settle(self, tx: Transaction) -> None:
        before, now_ms = self._settled_until_ms, self._clock.now_ms()
        for message_id, user_id in store.settled_between(tx, before, now_ms):
            tx.announce(RecallSettled(message_id, user_id))
        self._settled_until_ms = max(before, now_ms)
        tx.on_rollback(lambda: setattr(self, "_settled_until_ms", before))
