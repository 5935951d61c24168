"""Saying something: text, a picture, or both. Once each, however often it is sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import MessageAcknowledged, MessagePosted
from chatserver.core.model import Kind, Message, StoredImage, User
from chatserver.core.rate_limit import MinInterval
from chatserver.db.database import Database
from chatserver.db.jobs import Answer
from chatserver.db.transaction import RetryOneByOne, Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store
from chatserver.features.settings.settings import Settings

CLIENT_ID_MAX = 64

# Everything that Unicode calls a control, but for the tab and the line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class Draft(NamedTuple):
    """What somebody wants to say. `client_id` is their own name for it, "" for none."""

    text: str
    client_id: str = ""
    reply_to: int | None = None
    picture: StoredImage | None = None


@dataclass(slots=True)
class PostRequest:
    """A draft on its way into the room. `text` is as it would be stored, or what is wrong with it."""

    author: User
    draft: Draft
    text: str | DomainError
    key: bytes | None
    reader: object | None


class Posted(NamedTuple):
    """`seq` is the one it was posted with. `is_new` is False when it had been stored before."""

    message: Message
    seq: int
    is_new: bool


class Posting:
    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._interval = MinInterval(clock)

    async def post(self, author: User, draft: Draft) -> Posted:
        """Store the message and tell the room; on disk when this returns.

        Refuses with `empty`, `too_long`, `bad_request`, `too_fast`, `muted`, `banned`, `not_found`
        (an original that never was). A `client_id` that this member has used before is answered
        with the message it was stored as, and is never `too_fast`.
        """
        request = self._wish(author, draft)
        return await self._database.run(lambda tx: self._post(tx, request))

    def submit(self, author: User, draft: Draft, reader: object, answer: Answer[Posted]) -> None:
        """The same of a text for who does not wait: `answer` hears of it on the loop.

        `reader` is told with the same write that tells everybody, before that.
        """
        self._database.submit_batched(self._post_together, self._wish(author, draft, reader), answer)

    async def posted_before(self, author: User, client_id: str) -> Posted | None:
        """What this member has already posted as `client_id`, for those who must know before they upload."""
        key = _client_key(client_id)
        return await self._database.run(lambda tx: _posted_before(tx, author, key)) if key else None

    def check_interval(self, author: User) -> None:
        """Refuse early what `post` would refuse as `too_fast`; `post` asks again."""
        if not author.is_administrator:
            wait_ms = self._interval.wait_ms(author.id, self._settings.now.send_interval)
            if wait_ms:
                raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)

    def _wish(self, author: User, draft: Draft, reader: object | None = None) -> PostRequest:
        if len(draft.client_id) > CLIENT_ID_MAX or not _is_storable(draft.client_id):
            raise DomainError(ErrorCode.BAD_REQUEST, field="client_id")
        return PostRequest(author, draft, self._checked(draft), _client_key(draft.client_id), reader)

    def _checked(self, draft: Draft) -> str | DomainError:
        """The text as it will be stored, or what is wrong with it.

        Not raised yet: a message that was stored before is answered whatever comes with it now.
        """
        if not _is_storable(draft.text):
            return DomainError(ErrorCode.BAD_REQUEST, field="text")
        text = clean(draft.text)
        if not text and draft.picture is None:
            return DomainError(ErrorCode.EMPTY)
        limit = self._settings.now.text_max
        if len(text) > limit:
            return DomainError(ErrorCode.TOO_LONG, limit=limit, length=len(text))
        return text

    def _post_together(self, tx: Transaction, requests: Sequence[PostRequest]) -> list[Posted | DomainError]:
        """Neighbouring texts of the queue. Raises RetryOneByOne when one of them may have been sent twice."""
        answers: list[Posted | DomainError]
        answers = self._post_all(tx, requests) if len(requests) > 1 else [self._post(tx, requests[0])]
        for request, answer in zip(requests, answers, strict=True):
            if isinstance(answer, Posted):
                tx.announce(MessageAcknowledged(request.reader, request.draft.client_id, answer.message.id, answer.seq))
        return answers

    def _post_all(self, tx: Transaction, requests: Sequence[PostRequest]) -> list[Posted | DomainError]:
        now_ms = self._clock.now_ms()
        accounts = account_store.accounts(tx, {request.author.id for request in requests})
        new: list[store.NewMessage] = []
        keys: set[bytes | None] = set()
        answered: dict[int, Posted | DomainError] = {}
        for place, request in enumerate(requests):
            try:
                new.append(self._accepted(tx, request, accounts.get(request.author.id), now_ms, ahead=len(new)))
            except DomainError as refusal:
                if request.key and request.key in keys:
                    raise RetryOneByOne from None
                answered[place] = _posted_before(tx, request.author, request.key) or refusal
            else:
                keys.add(request.key)
                self._note(tx, request.author)
        stored = iter(store.insert_texts(tx, new))
        return [answered.get(place) or self._posted(tx, next(stored)) for place in range(len(requests))]

    def _post(self, tx: Transaction, request: PostRequest) -> Posted:
        try:
            new = self._accepted(tx, request, account_store.account(tx, request.author.id), self._clock.now_ms())
        except DomainError:
            # Looked for only now: most messages are new, and the insert itself finds the others.
            if before := _posted_before(tx, request.author, request.key):
                return before
            raise
        message = store.insert(tx, new)
        if message is None:
            before = _posted_before(tx, request.author, request.key)
            assert before is not None
            return before
        self._note(tx, request.author)
        return self._posted(tx, message)

    def _accepted(
        self, tx: Transaction, request: PostRequest, account: account_store.Account | None, now_ms: int, ahead: int = 0
    ) -> store.NewMessage:
        """What is to be stored, after those `ahead` that are yet to be, if nothing stands against it."""
        author, draft = permissions.may_speak(account, now_ms), request.draft
        if isinstance(request.text, DomainError):
            raise request.text
        if draft.reply_to is not None and not 1 <= draft.reply_to <= store.last_id(tx) + ahead:
            raise DomainError(ErrorCode.NOT_FOUND)
        self.check_interval(author)
        return store.NewMessage(
            author=author,
            kind=Kind.IMAGE if draft.picture else Kind.TEXT,
            text=request.text,
            picture=draft.picture,
            media_key=media_key(draft.picture),
            reply_to=draft.reply_to,
            client_id=draft.client_id,
            client_key=request.key,
            created_ms=now_ms,
            recall_until_ms=now_ms + int(self._settings.now.recall_seconds * 1000),
        )

    def _note(self, tx: Transaction, author: User) -> None:
        """The member's interval begins, unless this comes to nothing."""
        earlier = self._interval.note(author.id)
        tx.on_rollback(lambda: self._interval.restore(author.id, earlier))

    def _posted(self, tx: Transaction, message: Message) -> Posted:
        tx.announce(MessagePosted(message))
        return Posted(message, message.seq, True)


def clean(text: str) -> str:
    """`text` with plain line ends, without control characters and blank edges."""
    if _CONTROLS.search(text):  # a carriage return is one too; most texts have none
        text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip()


def media_key(picture: StoredImage | None) -> str:
    """The part of a picture's name that its thumbnail shares: `abc` of `images/abc.webp`."""
    return picture.image.rpartition("/")[2].partition(".")[0] if picture else ""


def _is_storable(text: str) -> bool:
    """False for half a character, which UTF-8 cannot write, and for NUL, which ends a text for some."""
    return "\0" not in text and (text.isascii() or not _SURROGATES.search(text))


def _client_key(client_id: str) -> bytes | None:
    """A hash, so that what remains of a recalled message holds nothing its sender wrote."""
    return hashlib.sha256(client_id.encode()).digest()[:16] if client_id else None


def _posted_before(tx: Transaction, author: User, key: bytes | None) -> Posted | None:
    found = store.posted_before(tx, author.id, key) if key else None
    return Posted(found[0], found[1], False) if found else None
