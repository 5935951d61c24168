"""Recall a message: its author within the recall window, an administrator at any time."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import ClassVar

from aiohttp import web

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import Timer
from chatserver.core.events import Audience, ContentErased, Event
from chatserver.core.model import Message, State, User
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages import store
from chatserver.features.messages.answer import change_answer, text_of
from chatserver.features.messages.encode import MessageEmptied, MessageEncoder
from chatserver.features.messages.post import MessagePosted
from chatserver.features.messages.withdraw import Withdraw
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import member_of


class MessageRecalled(MessageEmptied):
    __slots__ = ()
    frame_type = "recall"


@dataclass(frozen=True, slots=True)
class RecallWindowClosed(Event):
    """The author can no longer recall message `id`. Frame `settled`, for the author only."""

    audience: ClassVar[Audience] = Audience.MEMBER
    id: int
    user_id: int

    def frame(self) -> bytes:
        return json.dumps({"type": "settled", "id": self.id})


class Recall:
    """The rule, its frame, its form, and the timer that tells authors when their window has closed."""

    def __init__(self, database: Database, clock: Clock, encoder: MessageEncoder, withdraw: Withdraw) -> None:
        self._database = database
        self._clock = clock
        self._encoder = encoder
        self._withdraw = withdraw
        # Windows that closed while the server was down are not announced, because no client was connected.
        self._announced_until_ms = clock.now_ms()

    async def recall(self, actor: User, message_id: int, reason: str = "") -> Message:
        """Empty the message; the row that is left says who recalled it. A repeated call returns the same message.

        `reason` is for the feature that the message belongs to, which may raise more errors (see Withdraw).
        Raises DomainError: `not_yours`, `recall_expired`, `not_found`, `gone`, `banned`.
        """
        asked_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._recall(tx, actor, message_id, reason, asked_ms), frees=True)

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "recall", "id": N, "reason": "…"}`; answered by the broadcast."""
        await self.recall(frame.user, frame.id("id"), frame.text("reason"))

    async def on_form(self, request: web.Request) -> web.Response:
        return change_answer(
            request,
            self._encoder,
            await self.recall(member_of(request), path_id(request), await text_of(request, "reason")),
        )

    async def announce_closed_windows(self) -> None:
        """Tell the authors of the messages whose recall window has closed since the last call."""
        await self._database.run(self._announce_closed_windows)

    async def next_window_end(self) -> int | None:
        """When the next recall window closes, in Unix ms; None if no recall window is open."""
        return await self._database.run(self._next_window_end)

    def _recall(self, tx: Transaction, actor: User, message_id: int, reason: str, asked_ms: int) -> Message:
        actor = permissions.require_member(tx, actor)
        withdrawn = self._withdraw(tx, actor, message_id, reason, asked_ms)
        files = store.files_of(tx, message_id)
        # The condition stands in the WHERE, so that nothing can change between the check and the write.
        row = tx.one(
            f"UPDATE messages SET state = 'recalled', ended_by = ?, extra = ?, {store.EMPTY}"  # nosec B608 # constants
            " WHERE id = ? AND state = 'live' AND (? OR (user_id = ? AND recall_until_ms > ?)) RETURNING id",
            (
                actor.id, withdrawn.message.extra if withdrawn else "", message_id,
                actor.is_administrator or withdrawn is not None, actor.id, self._clock.now_ms(),
            ),
        )  # fmt: skip
        if row is not None:
            message = store.stamp_emptied(tx, message_id)
            if withdrawn is None and message.author.id != actor.id:
                record(tx, asked_ms, AuditAct.MESSAGE_RECALL, actor, message.author.id, message=message_id)
        elif withdrawn and withdrawn.is_new:  # the message has expired, but readers get the frame too
            message = withdrawn.message._replace(seq=sequence.next_seq(tx))
        else:
            return store.unchanged(tx, actor, message_id, State.RECALLED, withdrawn)
        tx.announce(MessageRecalled(message, self._encoder, actor.name))
        tx.announce(ContentErased(files, is_urgent=True))
        return message

    def _announce_closed_windows(self, tx: Transaction) -> None:
        before, now_ms = self._announced_until_ms, self._clock.now_ms()
        for message_id, user_id in tx.all(
            "SELECT id, user_id FROM messages WHERE state = 'live' AND recall_until_ms > ? AND recall_until_ms <= ?"
            " ORDER BY recall_until_ms, id",
            (before, now_ms),
        ):
            tx.announce(RecallWindowClosed(message_id, user_id))
        self._announced_until_ms = max(before, now_ms)
        tx.on_rollback(lambda: setattr(self, "_announced_until_ms", before))

    def _next_window_end(self, tx: Transaction) -> int | None:
        until_ms: int | None = tx.one(
            "SELECT min(recall_until_ms) FROM messages WHERE state = 'live' AND recall_until_ms > ?",
            (self._announced_until_ms,),
        )[0]
        return until_ms

    ROUTES = (Route("POST", f"/recall_message/{ID}/", on_form, Access.MEMBER, bots=True),)
    FRAMES = {"recall": on_frame}
    TIMERS = (
        Timer(
            "recall",
            next_window_end,
            announce_closed_windows,
            {MessagePosted: attrgetter("message.recall_until_ms")},
        ),
    )
