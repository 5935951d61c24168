"""Post a message: text, a picture, or both. A message that is sent again is stored once.

The rule, and the socket's frame; the form is in post_form.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_text
from chatserver.core.model import Kind, Message, StoredImage, User
from chatserver.db.database import Database
from chatserver.db.transaction import ResultCallback, RetryOneByOne, Transaction
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store
from chatserver.features.messages.encode import MessageChange, MessageEncoder
from chatserver.features.messages.send_interval import Admission, SendInterval
from chatserver.features.messages.text import check_client_id, checked, client_key, is_storable
from chatserver.http.client_frame import ClientFrame, Direct, Done

ALBUM_NAME_MAX = 64


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
    """`seq`: the number with which the message was posted. `is_new` is False if it was already stored before."""

    message: Message
    seq: int
    is_new: bool


@dataclass(slots=True)
class PostRequest:
    """A draft with its client key. `text`: the text to store, or the error that refuses it.

    If there is an `admission`, the send interval was checked and began earlier.
    """

    author: User
    draft: Draft
    text: str | DomainError
    key: bytes | None
    admission: Admission | None = None


class Admitted(NamedTuple):
    """A picture's message that may be posted as soon as the picture is processed."""

    request: PostRequest
    admission: Admission


class Post:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        self._interval = SendInterval(settings, clock)

    async def post(self, author: User, draft: Draft) -> Posted:
        """Store the message and announce it; it is on disk when this returns.

        Raises DomainError: `empty`, `too_long`, `bad_request`, `too_fast`, `muted`, `banned`, `not_found`
        (a `reply_to` that was never a message's id). If this member has used the `client_id` before, returns the
        message that was stored with it, and never raises `too_fast`.
        """
        request = self._request(author, draft)
        return await self._database.run(lambda tx: self._post(tx, request))

    def submit(self, author: User, draft: Draft, answer: ResultCallback[Posted]) -> None:
        """Like `post`, for a text, without a task or a future: `answer` is called on the loop, before the broadcast."""
        self._database.submit_batched(self._post_batch, self._request(author, draft), answer)

    def on_frame(self, frame: ClientFrame, done: Done) -> None:
        """`{"type": "post", "client_id": "…", "text": "…", "reply_to": N}`; answered by an `ack`."""

        def answer(posted: Posted | None, error: BaseException | None) -> None:
            if posted is not None:
                named = encode_text(draft.client_id)
                frame.reply(
                    f'{{"type":"ack","client_id":{named},"id":{posted.message.id},"seq":{posted.seq}}}'.encode()
                )
            elif isinstance(error, DomainError):
                frame.reply_refusal(error)
            done(error)

        try:
            draft = Draft(frame.text("text"), frame.text("client_id"), frame.optional_id("reply_to"))
            self.submit(frame.user, draft, answer)
        except DomainError as error:  # no function was queued
            frame.refuse(error)
            done(error)

    async def admit(self, author: User, draft: Draft, album_name: str) -> Admitted | Posted:
        """Check a picture's message against every rule before the picture is processed, and begin the interval.

        The interval counts from here, so that the second of two simultaneous pictures is refused before it costs
        anything. Call `post_admitted` or `give_back` afterwards. `album_name` is the client's own name for the album,
        "" for none. Raises DomainError as `post` does. Returns the stored message if the `client_id` was used before.
        """
        if len(album_name) > ALBUM_NAME_MAX or not is_storable(album_name):
            raise DomainError(ErrorCode.BAD_REQUEST, field="album")
        request = self._request(author, draft, with_picture=True)
        return await self._database.run(lambda tx: self._admit(tx, request, album_name))

    async def post_admitted(self, admitted: Admitted, picture: StoredImage) -> Posted:
        """Store an admitted message with its picture, as `post` does. May still raise `muted` or `banned`."""
        request, admission = admitted
        request = replace(request, draft=request.draft._replace(picture=picture), admission=admission)
        return await self._database.run(lambda tx: self._post(tx, request))

    def give_back(self, admitted: Admitted) -> None:
        """Give the interval back, because the message will not be stored."""
        with suppress(DomainError):  # if the queue is full, the member waits for the interval
            self._database.submit(lambda tx: self._interval.give_back(admitted.admission), _ignore)

    def _request(self, author: User, draft: Draft, *, with_picture: bool = False) -> PostRequest:
        check_client_id(draft.client_id)
        text: str | DomainError
        try:
            text = checked(draft.text, self._settings.now.text_max, may_be_empty=with_picture or bool(draft.picture))
        except DomainError as error:
            # Not raised yet, because a repeated request gets its stored message even if its text is wrong now.
            text = error
        return PostRequest(author, draft, text, client_key(draft.client_id))

    def _post_batch(self, tx: Transaction, requests: Sequence[PostRequest]) -> list[Posted | DomainError]:
        """Store text messages that are next to each other in the queue, in one transaction.

        Raises RetryOneByOne if there are several and one of them may have been sent twice.
        """
        now_ms = self._clock.now_ns() // 1_000_000
        accounts = account_store.accounts(tx, {request.author.id for request in requests})
        new: list[store.NewMessage] = []
        keys: set[bytes | None] = set()
        answered: dict[int, Posted | DomainError] = {}
        undo = len(tx.undo)
        for index, request in enumerate(requests):
            try:
                new.append(self._accepted(tx, request, accounts.get(request.author.id), now_ms, ahead=len(new)))
                keys.add(request.key)
            except DomainError as error:
                # Only a refused request is looked up among the stored messages, because most messages are new, and the
                # INSERT finds repeated messages itself.
                if request.key and request.key in keys:
                    raise RetryOneByOne from None
                answered[index] = _posted_before(tx, request.author, request.key) or error
        try:
            messages = store.insert_many(tx, new)
        except RetryOneByOne:
            if len(requests) > 1:
                raise
            tx.roll_back(len(tx.events), undo)  # undo the number and the interval
            return [_known(tx, requests[0])]
        for message in messages:
            tx.announce(MessagePosted(message, self._encoder))
        stored = iter(messages)
        found: list[Posted | DomainError] = []
        for index in range(len(requests)):
            found.append(answered.get(index) or Posted(message := next(stored), message.seq, True))
        return found

    def _post(self, tx: Transaction, request: PostRequest) -> Posted:
        """Store one message, with or without a picture."""
        account, now_ms = account_store.account(tx, request.author.id), self._clock.now_ms()
        undo = len(tx.undo)
        try:
            new = self._accepted(tx, request, account, now_ms)
        except DomainError:
            if before := _posted_before(tx, request.author, request.key):
                return before
            raise
        message = store.insert(tx, new)
        if message is None:
            tx.roll_back(len(tx.events), undo)  # undo the interval
            return _known(tx, request)
        tx.announce(MessagePosted(message, self._encoder))
        return Posted(message, message.seq, True)

    def _admit(self, tx: Transaction, request: PostRequest, album_name: str) -> Admitted | Posted:
        if before := _posted_before(tx, request.author, request.key):
            return before
        author = _speaker(tx, request, account_store.account(tx, request.author.id), self._clock.now_ms())
        return Admitted(request, self._interval.admit(tx, author, album_name))

    def _accepted(
        self,
        tx: Transaction,
        request: PostRequest,
        account: account_store.Account | None,
        now_ms: int,
        ahead: int = 0,
    ) -> store.NewMessage:
        """Check a message, begin its interval, and return the row to store. Raises DomainError.

        `ahead`: how many rows of the same batch will be stored before it.
        """
        author, draft, admission = _speaker(tx, request, account, now_ms, ahead), request.draft, request.admission
        if admission is None:
            tx.on_rollback(self._interval.begin(tx, author))
        assert isinstance(request.text, str)
        return store.NewMessage(
            author,
            Kind.IMAGE if draft.picture else Kind.TEXT,
            request.text,
            now_ms,
            now_ms + self._settings.now.recall_ms,
            draft.picture,
            draft.reply_to,
            draft.client_id,
            request.key,
            album=admission.album_id if admission else None,
        )

    FRAMES = {"post": Direct(on_frame)}


def _ignore(result: object, error: BaseException | None) -> None:
    """The callback of a transaction whose result is not needed."""


def _speaker(
    tx: Transaction, request: PostRequest, account: account_store.Account | None, now_ms: int, ahead: int = 0
) -> User:
    """The author as stored. Raises DomainError for every reason to refuse the message, except the interval."""
    if account is None:
        raise DomainError(ErrorCode.LOGIN_REQUIRED)
    author, reply_to = account.speaker(now_ms), request.draft.reply_to
    if isinstance(request.text, DomainError):
        raise request.text
    if reply_to is not None and not 1 <= reply_to <= store.last_id(tx) + ahead:
        raise DomainError(ErrorCode.NOT_FOUND, reason="original", field="reply_to")
    return author


def _posted_before(tx: Transaction, author: User, key: bytes | None) -> Posted | None:
    found = store.posted_before(tx, author.id, key) if key else None
    return Posted(found[0], found[1], False) if found else None


def _known(tx: Transaction, request: PostRequest) -> Posted:
    """The stored message of a request whose client key was already used."""
    before = _posted_before(tx, request.author, request.key)
    assert before is not None
    return before
