"""Edit a text message: its author, within the time that the setting `edit_seconds` gives."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import Code, DomainError, ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Kind, Message, State, User
from chatserver.core.rate_limit import RateLimit
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.messages import store
from chatserver.features.messages.answer import change_answer, text_of
from chatserver.features.messages.encode import MessageEncoder, TextReplaced
from chatserver.features.messages.text import checked
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import member_of

# Edits of one member. An edit is broadcast to every reader, and the send interval does not limit it.
EDITS_AT_ONCE, EDITS_PER_SECOND = 5, 1.0


class EditCode(Code):
    EXPIRED = "edit_expired", 403


class MessageEdited(TextReplaced):
    """The text of a message was changed. Frame `message`."""

    __slots__ = ()


class Edit:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        self._limit = RateLimit(clock)

    async def edit(self, actor: User, message_id: int, text: str) -> Message:
        """Replace the text. The message keeps its place; the old text leaves the disk within 60 s.

        Raises DomainError: `empty`, `too_long`, `bad_request` (no text message), `not_yours`, `gone`, `not_found`,
        `edit_expired`, `muted`, `banned`, and `too_fast` beyond one a second after the first five.
        """
        new = checked(text, self._settings.now.text_max)
        return await self._database.run(lambda tx: self._edit(tx, actor, message_id, new))

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "edit", "id": N, "text": "…"}`; answered by the broadcast."""
        await self.edit(frame.user, frame.id("id"), frame.text("text"))

    async def on_form(self, request: web.Request) -> web.Response:
        text = await text_of(request, "text")
        return change_answer(request, self._encoder, await self.edit(member_of(request), path_id(request), text))

    def _edit(self, tx: Transaction, actor: User, message_id: int, text: str) -> Message:
        now_ms = self._clock.now_ms()
        actor = permissions.require_speaker(tx, actor, now_ms)
        # The condition stands in the WHERE, so that nothing can change between the check and the write.
        changed = tx.execute(
            "UPDATE messages SET text = ?, edited_ms = ?"
            " WHERE id = ? AND state = 'live' AND kind = 'text' AND user_id = ? AND created_ms > ?",
            (text, now_ms, message_id, actor.id, now_ms - self._settings.now.edit_ms),
        )
        if not changed.rowcount:
            raise _refusal(tx, actor, message_id)
        if wait_ms := self._limit.take(str(actor.id), EDITS_AT_ONCE, EDITS_PER_SECOND):
            raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)
        message = store.stamp(tx, message_id)
        tx.announce(MessageEdited(message, self._encoder))
        # Not urgent. Else a member who edits again and again would cause as many rewrites of the database.
        tx.announce(ContentErased())
        return message

    ROUTES = (Route("POST", f"/edit_message/{ID}/", on_form, Access.MEMBER),)
    FRAMES = {"edit": on_frame}


def _refusal(tx: Transaction, actor: User, message_id: int) -> DomainError:
    """Why an edit changed no row."""
    message = store.get(tx, message_id)
    if message is None:
        return store.missing(tx, message_id)
    if message.kind is not Kind.TEXT:
        return DomainError(ErrorCode.BAD_REQUEST, field="id", reason="not_text")
    if message.author.id != actor.id:
        return DomainError(ErrorCode.NOT_YOURS)
    return DomainError(EditCode.EXPIRED if message.state is State.LIVE else ErrorCode.GONE)
