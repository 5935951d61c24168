"""Delete a message: its author or an administrator, at any time."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.events import ContentErased
from chatserver.core.model import Message, State, User
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages import store
from chatserver.features.messages.answer import change_answer, text_of
from chatserver.features.messages.encode import MessageEmptied, MessageEncoder
from chatserver.features.messages.withdraw import Withdraw
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import member_of


class MessageDeleted(MessageEmptied):
    __slots__ = ()
    frame_type = "delete"


class Delete:
    def __init__(self, database: Database, clock: Clock, encoder: MessageEncoder, withdraw: Withdraw) -> None:
        self._database = database
        self._clock = clock
        self._encoder = encoder
        self._withdraw = withdraw

    async def delete(self, actor: User, message_id: int, reason: str = "") -> Message:
        """Empty the message and leave it out of every list. A repeated call returns the same message.

        `reason` is for the feature that the message belongs to, which may raise more errors (see Withdraw).
        Raises DomainError: `not_yours`, `not_found`, `gone`, `banned`.
        """
        asked_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._delete(tx, actor, message_id, reason, asked_ms), frees=True)

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "delete", "id": N, "reason": "…"}`; answered by the broadcast."""
        await self.delete(frame.user, frame.id("id"), frame.text("reason"))

    async def on_form(self, request: web.Request) -> web.Response:
        return change_answer(
            request,
            self._encoder,
            await self.delete(member_of(request), path_id(request), await text_of(request, "reason")),
        )

    def _delete(self, tx: Transaction, actor: User, message_id: int, reason: str, asked_ms: int) -> Message:
        actor = permissions.require_member(tx, actor)
        withdrawn = self._withdraw(tx, actor, message_id, reason, asked_ms)
        files = store.files_of(tx, message_id)
        row = tx.one(
            f"UPDATE messages SET state = 'deleted', ended_by = ?, extra = ?, {store.EMPTY}"  # nosec B608 # constants
            " WHERE id = ? AND state <> 'deleted' AND (? OR user_id = ?) RETURNING id",
            (actor.id, withdrawn.message.extra if withdrawn else "", message_id, actor.is_administrator, actor.id),
        )
        if row is not None:
            message = store.stamp_emptied(tx, message_id)
            if withdrawn is None and message.author.id != actor.id:
                record(tx, asked_ms, AuditAct.MESSAGE_DELETE, actor, message.author.id, message=message_id)
        elif withdrawn and withdrawn.is_new:  # the message has expired, but readers get the frame too
            message = withdrawn.message._replace(seq=sequence.next_seq(tx), state=State.DELETED)
        else:
            return store.unchanged(tx, actor, message_id, State.DELETED, withdrawn)
        tx.announce(MessageDeleted(message, self._encoder, actor.name))
        tx.announce(ContentErased(files, is_urgent=True))
        return message

    ROUTES = (Route("POST", f"/delete_message/{ID}/", on_form, Access.MEMBER, bots=True),)
    FRAMES = {"delete": on_frame}
