"""Place an order: number, stock, limit, time, journal entry and message are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Kind, Message, User
from chatserver.db.database import Database
from chatserver.db.jobs import Answer
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store as message_store
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import MessagePosted
from chatserver.features.messages.text import check_client_id, client_key
from chatserver.features.ordering import answers, store, wanted
from chatserver.features.ordering.book import Book
from chatserver.features.ordering.events import OrdersCounted
from chatserver.features.ordering.late import window_closed
from chatserver.features.ordering.model import Order, order_extra
from chatserver.features.ordering.wanted import Wanted
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame, Direct, Done
from chatserver.http.route import Route
from chatserver.http.viewer import member_of


class Placed(NamedTuple):
    """`message` is as it stands now. `is_new` is False when the order had been stored before."""

    order: Order
    message: Message
    is_new: bool


@dataclass(slots=True)
class OrderRequest:
    """`received_ms`: when the server read it. `wanted` is what to order, or the error that refuses it."""

    author: User
    client_id: str
    key: bytes | None
    wanted: Wanted | DomainError
    window_id: int | None
    received_ms: int


class PlaceOrder:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder

    async def place(
        self, author: User, lines: Any, text: Any = "", client_id: str = "", window_id: int | None = None
    ) -> Placed:
        """Order in the open window. It counts if the window was open at this call, however long the queue is.

        Raises DomainError: `window_closed` (`late_ms`), `sold_out`, `over_limit`, `empty`, `too_long`, `bad_request`,
        `muted`, `banned`. A `client_id` that this member has used for an order is answered with that order.
        """
        request = self._request(author, lines, text, client_id, window_id)
        return await self._database.run(lambda tx: _one(self._place_batch(tx, [request])))

    def submit(self, request: OrderRequest, answer: Answer[Placed]) -> None:
        """The same without a task or a future: `answer` is called on the loop, before the broadcast."""
        self._database.submit_batched(self._place_batch, request, answer)

    def on_frame(self, frame: ClientFrame, done: Done) -> None:
        """`{"type": "order", "client_id", "lines", "text", "window_id"}`; answered by an `ack` with its `receipt`."""

        def answer(placed: Placed | None, error: BaseException | None) -> None:
            if placed is not None:
                frame.reply(answers.ack(client_id, placed.order, placed.order.posted_seq))
            elif isinstance(error, DomainError):
                frame.reply_refusal(error)
            done(error)

        try:
            client_id, window_id = frame.text("client_id"), frame.optional_id("window_id")
            fields = frame.fields
            request = self._request(frame.user, fields.get("lines"), fields.get("text"), client_id, window_id)
            self.submit(request, answer)
        except DomainError as error:  # nothing was queued
            frame.refuse(error)
            done(error)

    async def on_form(self, request: web.Request) -> web.Response:
        """JSON, or a form with `lines` as JSON text or fields `item-ID`. 201 with the message and its `receipt`."""
        fields = await answers.fields_of(request)
        client_id, window_id = fields.get("client_id") or "", answers.optional_id(fields, "window_id")
        if not isinstance(client_id, str):
            raise DomainError(ErrorCode.BAD_REQUEST, field="client_id")
        placed = await self.place(member_of(request), fields.get("lines"), fields.get("text"), client_id, window_id)
        return answers.order_answer(request, self._encoder, placed.message, placed.order, 201 if placed.is_new else 200)

    def _request(self, author: User, lines: Any, text: Any, client_id: str, window_id: int | None) -> OrderRequest:
        received_ms = self._clock.now_ms()
        check_client_id(client_id)
        found: Wanted | DomainError
        try:
            found = wanted.read(lines, text)
        except DomainError as error:
            # Not raised yet: an order that was stored before is answered whatever comes with it now.
            found = error.with_traceback(None)
        return OrderRequest(author, client_id, client_key(client_id), found, window_id, received_ms)

    def _place_batch(self, tx: Transaction, requests: Sequence[OrderRequest]) -> list[Placed | DomainError]:
        """Neighbouring orders of the queue, in their order."""
        user_ids = {request.author.id for request in requests}
        accounts = account_store.accounts(tx, user_ids)
        book = Book.open(tx)
        if book:
            book.load_members(user_ids)
        placed: list[Placed | DomainError] = []
        for request in requests:
            try:
                placed.append(self._place(tx, book, request, accounts.get(request.author.id)))
            except DomainError as error:
                placed.append(error)
        if book and any(isinstance(each, Placed) and each.is_new for each in placed):
            tx.announce(OrdersCounted(book.save()))
        return placed

    def _place(
        self, tx: Transaction, book: Book | None, request: OrderRequest, account: account_store.Account | None
    ) -> Placed:
        before = store.placed_before(tx, request.author.id, request.key)
        if before is not None:
            return Placed(before, answers.message_of(tx, before, request.author), False)
        author = permissions.may_speak(account, self._clock.now_ms())
        if isinstance(request.wanted, DomainError):
            raise request.wanted
        window_id, received_ms = request.window_id, request.received_ms
        if book is None or window_id not in (None, book.window.id) or received_ms >= book.window.closes_ms:
            raise window_closed(tx, window_id, received_ms)
        words = request.wanted.words(book.items)
        book.check_new(author.id, words)

        no, lines, total = book.next_no(), words.lines_json(), words.total
        message = message_store.insert(
            tx,
            message_store.NewMessage(
                author=author,
                kind=Kind.ORDER,
                text=words.as_text(),
                created_ms=received_ms,
                recall_until_ms=received_ms + self._settings.now.recall_ms,
                client_id=request.client_id,
                window_id=book.window.id,
                extra=order_extra(book.window.id, no, lines, words.note, total),
            ),
        )
        assert message is not None  # without a client key no message is one that was posted before
        book.add(author.id, words, is_new=True)
        receipt = book.write(
            "accepted", received_ms, words_of=no, no=no, user_id=author.id, user=author.name, **words.as_json()
        )
        order = Order(
            message.id, book.window.id, no, author.id, author.name, True, lines, words.note, total, received_ms,
            received_ms, message.seq, receipt,
        )  # fmt: skip
        store.insert_order(tx, order, request.key)
        tx.announce(MessagePosted(message, self._encoder))
        return Placed(order, message, True)

    ROUTES = (Route("POST", "/order/", on_form, Access.MEMBER),)
    FRAMES = {"order": Direct(on_frame)}


def _one(results: list[Placed | DomainError]) -> Placed:
    if isinstance(results[0], DomainError):
        raise results[0]
    return results[0]
