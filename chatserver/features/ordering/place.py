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
from chatserver.db.transaction import ResultCallback, RetryOneByOne, Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import store as message_store
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import MessagePosted
from chatserver.features.messages.text import check_client_id, client_key
from chatserver.features.ordering import answers, order_input, store
from chatserver.features.ordering.closed_keys import ClosedKeys
from chatserver.features.ordering.events import OrdersCounted
from chatserver.features.ordering.kept_counts import KeptCounts
from chatserver.features.ordering.late import window_closed
from chatserver.features.ordering.ledger_transaction import LedgerTransaction
from chatserver.features.ordering.model import Order, OrderContent, describe, order_extra
from chatserver.features.ordering.order_input import OrderInput
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame, Direct, Done
from chatserver.http.route import Route
from chatserver.http.viewer import member_of


class Placed(NamedTuple):
    """`message` is the present message. `is_new` is False if the order was already stored before."""

    order: Order
    message: Message
    is_new: bool


@dataclass(slots=True)
class OrderRequest:
    """`received_ms`: when the server read the request. `wanted`: the order's content, or the error that refuses it."""

    author: User
    client_id: str
    key: bytes | None
    wanted: OrderInput | DomainError
    window_id: int | None
    received_ms: int


class _NewOrder(NamedTuple):
    """An order that is accepted and has no message yet. `receipt`: the head of the journal after its `entry`."""

    request: OrderRequest
    author: User
    words: OrderContent
    no: int
    receipt: bytes
    entry: int


class PlaceOrder:
    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        self._kept_counts = KeptCounts()
        self._closed_keys = ClosedKeys()

    async def place(
        self, author: User, lines: Any, text: Any = "", client_id: str = "", window_id: int | None = None
    ) -> Placed:
        """Order in the open window. The order counts if the window is open at this call, however long the queue is.

        Raises DomainError: `window_closed` (`late_ms`), `sold_out`, `over_limit`, `empty`, `too_long`, `bad_request`,
        `muted`, `banned`, `forbidden` (a bot). If this member has already used the `client_id` for an order, returns
        that order.
        """
        request = self._request(author, lines, text, client_id, window_id)
        return await self._database.run(lambda tx: _one(self._place_batch(tx, [request])))

    def submit(self, request: OrderRequest, answer: ResultCallback[Placed]) -> None:
        """Like `place`, but without a task or a future: `answer` is called on the loop, before the broadcast."""
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
        """Read JSON, or a form with `lines` as JSON text or fields `item-ID`.

        Answers 201 (200 if the order was stored before) with the message and its `receipt`.
        """
        fields = await answers.fields_of(request)
        client_id, window_id = fields.get("client_id") or "", answers.optional_id(fields, "window_id")
        if not isinstance(client_id, str):
            raise DomainError(ErrorCode.BAD_REQUEST, field="client_id")
        placed = await self.place(member_of(request), fields.get("lines"), fields.get("text"), client_id, window_id)
        return answers.order_answer(request, self._encoder, placed.message, placed.order, 201 if placed.is_new else 200)

    def _request(self, author: User, lines: Any, text: Any, client_id: str, window_id: int | None) -> OrderRequest:
        received_ms = self._clock.now_ms()
        check_client_id(client_id)
        found: OrderInput | DomainError
        try:
            found = order_input.read(lines, text)
        except DomainError as error:
            # Not raised yet, because a repeated request gets its stored order even if its fields are wrong now.
            found = error.with_traceback(None)
        return OrderRequest(author, client_id, client_key(client_id), found, window_id, received_ms)

    def _place_batch(self, tx: Transaction, requests: Sequence[OrderRequest]) -> list[Placed | DomainError]:
        """Place orders that are next to each other in the queue.

        Raises RetryOneByOne if there are several and one of them may have been sent twice.
        """
        if len(requests) == 1 and (before := _placed_before(tx, requests[0])):
            return [before]
        ledger = LedgerTransaction.open(tx, self._kept_counts)
        if len(requests) > 1:
            keys = [(request.author.id, request.key) for request in requests]
            if ledger:
                keys = self._closed_keys.maybe_used(tx, ledger.window.id, keys)
            if not store.are_new_keys(tx, keys):
                raise RetryOneByOne
        now_ms = self._clock.now_ms()
        user_ids = {request.author.id for request in requests}
        accounts = account_store.accounts(tx, user_ids)
        if ledger:
            ledger.load_members(user_ids)
            ledger.expect_entries(len(requests))
        new: list[_NewOrder] = []
        answered: dict[int, Placed | DomainError] = {}
        for index, request in enumerate(requests):
            try:
                new.append(_accepted(tx, ledger, request, accounts.get(request.author.id), now_ms))
            except DomainError as error:
                # Looked up only now, because most orders are new, and `accept` itself finds the repeated ones.
                if ledger and ledger.has_key(request.author.id, request.key):
                    raise RetryOneByOne from None
                answered[index] = error
        placed = iter(self._stored(tx, ledger, new) if ledger and new else ())
        if ledger:
            self._kept_counts.keep(ledger.counts())
        return [answered.get(index) or next(placed) for index in range(len(requests))]

    def _stored(self, tx: Transaction, ledger: LedgerTransaction, new: Sequence[_NewOrder]) -> list[Placed]:
        """Insert the orders and their messages, save the ledger, and announce all three."""
        window_id, recall_ms = ledger.window.id, self._settings.now.recall_ms
        unsent: list[message_store.NewMessage] = []
        for request, author, words, no, _, _ in new:
            priced, received_ms = words.priced, request.received_ms
            text = describe(priced.said, words.note)
            extra = order_extra(window_id, no, priced.json, words.note_json, priced.total_json)
            unsent.append(message_store.NewMessage(
                author, Kind.ORDER, text, received_ms, received_ms + recall_ms, None, None, request.client_id,
                window_id=window_id, extra=extra,
            ))  # fmt: skip
        placed: list[Placed] = []
        orders: list[tuple[Order, bytes | None]] = []
        for message, (request, author, words, no, receipt, entry) in zip(
            message_store.insert_many(tx, unsent), new, strict=True
        ):
            priced, received_ms = words.priced, request.received_ms
            order = Order(
                message.id, window_id, no, author.id, author.name, True, priced.json, words.note, priced.total,
                received_ms, received_ms, message.seq, receipt, entry,
            )  # fmt: skip
            orders.append((order, request.key))
            placed.append(Placed(order, message, True))
            tx.announce(MessagePosted(message, self._encoder))
        store.insert_orders(tx, orders)
        tx.announce(OrdersCounted(ledger.save()))
        return placed

    ROUTES = (Route("POST", "/order/", on_form, Access.MEMBER),)
    FRAMES = {"order": Direct(on_frame)}


def _placed_before(tx: Transaction, request: OrderRequest) -> Placed | None:
    order = store.placed_before(tx, request.author.id, request.key)
    return Placed(order, answers.message_of(tx, order, request.author), False) if order else None


def _accepted(
    tx: Transaction,
    ledger: LedgerTransaction | None,
    request: OrderRequest,
    account: account_store.Account | None,
    now_ms: int,
) -> _NewOrder:
    """Check an order, give it a number and a journal entry, and count it in the ledger. Raises DomainError."""
    author, asked = permissions.existing(account).buyer(now_ms), request.wanted
    if isinstance(asked, DomainError):
        raise asked
    window_id, received_ms = request.window_id, request.received_ms
    if ledger is None or window_id not in (None, ledger.window.id) or received_ms >= ledger.window.closes_ms:
        raise window_closed(tx, window_id, received_ms)
    words = ledger.words(asked)
    return _NewOrder(request, author, words, *ledger.accept(received_ms, author, words, request.key))


def _one(results: list[Placed | DomainError]) -> Placed:
    if isinstance(results[0], DomainError):
        raise results[0]
    return results[0]
