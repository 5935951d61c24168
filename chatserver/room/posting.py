"""Saying something: text, a picture, or both. Once each, however often it is sent."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from chatserver.clock import Clock
from chatserver.events import MessageAcknowledged, MessagePosted
from chatserver.model import Kind, Message, StoredImage, User
from chatserver.refusals import Code, Refusal
from chatserver.room import acting
from chatserver.room.limits import Interval
from chatserver.room.settings import Settings
from chatserver.storage import Answer, Database, Transaction, Unit, messages

CLIENT_ID_MAX = 64

# Everything that Unicode calls a control, but for the tab and the line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to say. `client_id` is their own name for it, "" for none."""

    text: str
    client_id: str = ""
    reply_to: int | None = None
    picture: StoredImage | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """`seq` is the one it was posted with. `is_new` is False when it had been stored before."""

    message: Message
    seq: int
    is_new: bool


class Posting:
    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._interval = Interval(clock)

    async def post(self, author: User, draft: Draft) -> Posted:
        """Store the message and tell the room; on disk when this returns.

        Refuses with `empty`, `too_long`, `bad_request`, `too_fast`, `muted`, `banned`, `not_found`
        (an original that never was). A `client_id` that this member has used before is answered
        with the message it was stored as, and is never `too_fast`.
        """
        return await self._database.run(self._unit(author, draft))

    def submit(self, author: User, draft: Draft, reader: object, answer: Answer[Posted]) -> None:
        """The same for who does not wait: `answer` hears of it on the loop.

        `reader` is told with the same write that tells everybody, before that.
        """
        post = self._unit(author, draft)

        def unit(tx: Transaction) -> Posted:
            posted = post(tx)
            tx.announce(MessageAcknowledged(reader, draft.client_id, posted.message.id, posted.seq))
            return posted

        self._database.submit(unit, answer)

    async def posted_before(self, author: User, client_id: str) -> Posted | None:
        """What this member has already posted as `client_id`, for those who must know before they upload."""
        key = _client_key(client_id)
        if key is None:
            return None
        return await self._database.run(lambda tx: _posted_before(tx, author, key))

    def check_interval(self, author: User) -> None:
        """Refuse early what `post` would refuse as `too_fast`; `post` asks again."""
        if not author.is_administrator:
            wait_ms = self._interval.wait_ms(author.id, self._settings.now.send_interval)
            if wait_ms:
                raise Refusal(Code.TOO_FAST, retry_after_ms=wait_ms)

    def _unit(self, author: User, draft: Draft) -> Unit[Posted]:
        if len(draft.client_id) > CLIENT_ID_MAX or not _is_storable(draft.client_id):
            raise Refusal(Code.BAD_REQUEST, field="client_id")
        checked = self._checked(draft)
        return lambda tx: self._post(tx, author, draft, checked)

    def _checked(self, draft: Draft) -> str | Refusal:
        """The text as it will be stored, or what is wrong with it.

        Not raised yet: a message that was stored before is answered whatever comes with it now.
        """
        if not _is_storable(draft.text):
            return Refusal(Code.BAD_REQUEST, field="text")
        text = clean(draft.text)
        if not text and draft.picture is None:
            return Refusal(Code.EMPTY)
        limit = self._settings.now.text_max
        if len(text) > limit:
            return Refusal(Code.TOO_LONG, limit=limit, length=len(text))
        return text

    def _post(self, tx: Transaction, author: User, draft: Draft, text: str | Refusal) -> Posted:
        key = _client_key(draft.client_id)
        now_ms = self._clock.now_ms()
        try:
            author = acting.speaker(tx, author, now_ms)
            text = self._allowed(tx, author, draft, text)
        except Refusal:
            # Looked for only now: most messages are new, and the insert itself finds the others.
            if key is not None and (before := _posted_before(tx, author, key)):
                return before
            raise
        message = messages.insert(
            tx,
            messages.NewMessage(
                author=author,
                kind=Kind.IMAGE if draft.picture else Kind.TEXT,
                text=text,
                picture=draft.picture,
                media_key=media_key(draft.picture),
                reply_to=draft.reply_to,
                client_id=draft.client_id,
                client_key=key,
                created_ms=now_ms,
                recall_until_ms=now_ms + int(self._settings.now.recall_seconds * 1000),
            ),
        )
        if message is None:
            assert key is not None
            before = _posted_before(tx, author, key)
            assert before is not None
            return before
        earlier = self._interval.note(author.id)
        tx.on_rollback(lambda: self._interval.restore(author.id, earlier))
        tx.announce(MessagePosted(message))
        return Posted(message, message.seq, True)

    def _allowed(self, tx: Transaction, author: User, draft: Draft, text: str | Refusal) -> str:
        """The text, if nothing stands against a new message of somebody who may speak."""
        if isinstance(text, Refusal):
            raise text
        if draft.reply_to is not None and not 1 <= draft.reply_to <= messages.last_id(tx):
            raise Refusal(Code.NOT_FOUND)
        self.check_interval(author)
        return text


def clean(text: str) -> str:
    """`text` with plain line ends, without control characters and blank edges."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip()


def media_key(picture: StoredImage | None) -> str:
    """The part of a picture's name that its thumbnail shares: `abc` of `images/abc.webp`."""
    return picture.image.rpartition("/")[2].partition(".")[0] if picture else ""


def _is_storable(text: str) -> bool:
    """False for half a character, which UTF-8 cannot write, and for NUL, which ends a text for some."""
    return "\0" not in text and not _SURROGATES.search(text)


def _client_key(client_id: str) -> bytes | None:
    """A hash, so that what remains of a recalled message holds nothing its sender wrote."""
    return hashlib.sha256(client_id.encode()).digest()[:16] if client_id else None


def _posted_before(tx: Transaction, author: User, key: bytes) -> Posted | None:
    found = messages.posted_before(tx, author.id, key)
    return Posted(found[0], found[1], False) if found else None
