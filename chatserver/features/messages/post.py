"""Post a message: text, a picture, or both. A message that is sent again is stored once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_text
from chatserver.core.model import Kind, Message, Role, StoredImage, User
from chatserver.core.rate_limit import MinInterval
from chatserver.db.database import Database
from chatserver.db.jobs import Answer
from chatserver.db.transaction import RetryOneByOne, Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store
from chatserver.features.messages.encode import MessageChange, MessageEncoder
from chatserver.features.messages.text import check_client_id, clean, client_key, is_storable
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame, Direct, Done
from chatserver.http.route import Route
from chatserver.http.uploads import Uploads
from chatserver.http.viewer import form_of, member_of, wants_json


class MessagePosted(MessageChange):
    """A new message is stored."""

    __slots__ = ()


class Draft(NamedTuple):
    """What a member wants to post. `client_id` is the client's own name for it, "" for none."""

    text: str
    client_id: str = ""
    reply_to: int | None = None
    picture: StoredImage | None = None


class Posted(NamedTuple):
    """`seq` is the one it was posted with. `is_new` is False when it had been stored before."""

    message: Message
    seq: int
    is_new: bool


@dataclass(slots=True)
class PostRequest:
    """A draft with its client key. `text` is what would be stored, or the error that refuses it."""

    author: User
    draft: Draft
    text: str | DomainError
    key: bytes | None


class Post:
    def __init__(
        self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder, uploads: Uploads
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        self._uploads = uploads
        self._interval = MinInterval(clock)

    async def post(self, author: User, draft: Draft) -> Posted:
        """Store the message and announce it; it is on disk when this returns.

        Raises DomainError: `empty`, `too_long`, `bad_request`, `too_fast`, `muted`, `banned`, `not_found`
        (a `reply_to` that was never given). A `client_id` that this member has used before is answered
        with the message it was stored as, and is never `too_fast`.
        """
        request = self._request(author, draft)
        return await self._database.run(lambda tx: self._post(tx, request))

    def submit(self, author: User, draft: Draft, answer: Answer[Posted]) -> None:
        """The same for a text, without a task or a future: `answer` is called on the loop, before the broadcast."""
        self._database.submit_batched(self._post_batch, self._request(author, draft), answer)

    def on_frame(self, frame: ClientFrame, done: Done) -> None:
        """`{"type": "post", "client_id": "…", "text": "…", "reply_to": N}`; answered by an `ack`."""

        def answer(posted: Posted | None, error: BaseException | None) -> None:
            if posted is not None:
                frame.reply(_ack(draft.client_id, posted))
            elif isinstance(error, DomainError):
                frame.reply_refusal(error)
            done(error)

        try:
            draft = Draft(frame.text("text"), frame.text("client_id"), frame.optional_id("reply_to"))
            self.submit(frame.user, draft, answer)
        except DomainError as error:  # nothing was queued
            frame.refuse(error)
            done(error)

    async def on_form(self, request: web.Request) -> web.Response:
        """201 with the message, 200 with one that this member has posted under the same `client_id` before."""
        form, author = form_of(request), member_of(request)
        draft = Draft(form.text("text"), form.text("client_id"), form.number("reply_to"))
        with_picture = "image" in form.files
        posted = await (self._post_picture(request, author, draft) if with_picture else self.post(author, draft))
        if not wants_json(request):
            return responses.see_other("/")
        return responses.encoded_json(self._encoder(posted.message), 201 if posted.is_new else 200)

    def check_interval(self, author: User) -> None:
        """Refuse early what `post` would refuse as `too_fast`; `post` checks again."""
        if author.role is not Role.ADMINISTRATOR:
            wait_ms = self._interval.wait_ms(author.id, self._settings.now.send_interval)
            if wait_ms:
                raise DomainError(ErrorCode.TOO_FAST, retry_after_ms=wait_ms)

    async def posted_before(self, author: User, client_id: str) -> Posted | None:
        """What this member has posted under this `client_id` already, to know before an upload is processed."""
        key = client_key(client_id)
        return await self._database.run(lambda tx: _posted_before(tx, author, key)) if key else None

    async def _post_picture(self, request: web.Request, author: User, draft: Draft) -> Posted:
        # Before the picture is processed: what is stored already or would be refused need not cost a second.
        before = await self.posted_before(author, draft.client_id)
        if before is not None:
            return before
        await self._database.run(lambda tx: permissions.speaker(tx, author, self._clock.now_ms()))
        self.check_interval(author)
        picture = await self._uploads.take_picture(request)
        assert picture is not None
        async with self._uploads.kept_if_used(picture.image, picture.thumb):
            posted = await self.post(author, draft._replace(picture=picture))
        if not posted.is_new:  # the same upload was sent twice at once, and the other one was first
            await self._uploads.drop(picture)
        return posted

    def _request(self, author: User, draft: Draft) -> PostRequest:
        check_client_id(draft.client_id)
        return PostRequest(author, draft, self._checked(draft), client_key(draft.client_id))

    def _checked(self, draft: Draft) -> str | DomainError:
        """The text as it will be stored, or the error that refuses it.

        Not raised yet: a message that was stored before is answered whatever comes with it now.
        """
        if not is_storable(draft.text):
            return DomainError(ErrorCode.BAD_REQUEST, field="text")
        text = clean(draft.text)
        if not text and draft.picture is None:
            return DomainError(ErrorCode.EMPTY)
        limit = self._settings.now.text_max
        if len(text) > limit:
            return DomainError(ErrorCode.TOO_LONG, limit=limit, length=len(text))
        return text

    def _post_batch(self, tx: Transaction, requests: Sequence[PostRequest]) -> list[Posted | DomainError]:
        """Neighbouring texts of the queue. Raises RetryOneByOne when one of them may have been sent twice."""
        if len(requests) == 1:
            return [self._post(tx, requests[0])]
        now_ms = self._clock.now_ms()
        accounts = account_store.accounts(tx, {request.author.id for request in requests})
        new: list[store.NewMessage] = []
        keys: set[bytes | None] = set()
        answered: dict[int, Posted | DomainError] = {}
        for index, request in enumerate(requests):
            try:
                new.append(self._accepted(tx, request, accounts.get(request.author.id), now_ms, ahead=len(new)))
            except DomainError as error:
                if request.key and request.key in keys:
                    raise RetryOneByOne from None
                answered[index] = _posted_before(tx, request.author, request.key) or error
            else:
                keys.add(request.key)
                self._start_interval(tx, request.author)
        stored = iter(store.insert_texts(tx, new))
        return [answered.get(index) or self._announced(tx, next(stored)) for index in range(len(requests))]

    def _post(self, tx: Transaction, request: PostRequest) -> Posted:
        try:
            new = self._accepted(tx, request, account_store.account(tx, request.author.id), self._clock.now_ms())
        except DomainError:
            # Looked up only now: most messages are new, and the INSERT itself finds the others.
            if before := _posted_before(tx, request.author, request.key):
                return before
            raise
        message = store.insert(tx, new)
        if message is None:
            before = _posted_before(tx, request.author, request.key)
            assert before is not None
            return before
        self._start_interval(tx, request.author)
        return self._announced(tx, message)

    def _accepted(
        self,
        tx: Transaction,
        request: PostRequest,
        account: account_store.Account | None,
        now_ms: int,
        ahead: int = 0,
    ) -> store.NewMessage:
        """The row to store, after the `ahead` rows of the same batch that are not stored yet. Raises DomainError."""
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
            created_ms=now_ms,
            recall_until_ms=now_ms + self._settings.now.recall_ms,
            picture=draft.picture,
            reply_to=draft.reply_to,
            client_id=draft.client_id,
            client_key=request.key,
        )

    def _start_interval(self, tx: Transaction, author: User) -> None:
        """The member's interval begins, unless the transaction rolls back."""
        earlier = self._interval.record(author.id)
        tx.on_rollback(lambda: self._interval.restore(author.id, earlier))

    def _announced(self, tx: Transaction, message: Message) -> Posted:
        tx.announce(MessagePosted(message, self._encoder))
        return Posted(message, message.seq, True)

    ROUTES = (Route("POST", "/post/", on_form, Access.MEMBER),)
    FRAMES = {"post": Direct(on_frame)}


def _ack(client_id: str, posted: Posted) -> bytes:
    shape = '{"type":"ack","client_id":%s,"id":%d,"seq":%d}'
    return (shape % (encode_text(client_id), posted.message.id, posted.seq)).encode()


def _posted_before(tx: Transaction, author: User, key: bytes | None) -> Posted | None:
    found = store.posted_before(tx, author.id, key) if key else None
    return Posted(found[0], found[1], False) if found else None
