"""Change an order: its author while the window is open, an administrator at any time. The number stays."""

from __future__ import annotations

from typing import Any, NamedTuple

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Message, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages import store as message_store
from chatserver.features.messages.encode import MessageChange, MessageEncoder
from chatserver.features.ordering import answers, journal, order_input, store
from chatserver.features.ordering.amend import Amendments, check_correction
from chatserver.features.ordering.events import OrdersCounted
from chatserver.features.ordering.ledger_transaction import LedgerTransaction
from chatserver.features.ordering.model import Order
from chatserver.features.ordering.order_input import OrderInput
from chatserver.features.ordering.window import OrderingWindows
from chatserver.http.access import Access
from chatserver.http.client_frame import ClientFrame, Direct, Done
from chatserver.http.route import ID, Route, path_id
from chatserver.http.viewer import member_of


class OrderChanged(MessageChange):
    """The lines or the note of an order were changed."""

    __slots__ = ()


class Changed(NamedTuple):
    """`receipt` of the order is the head of the journal after the change."""

    order: Order
    message: Message


class ChangeOrder:
    def __init__(
        self,
        database: Database,
        clock: Clock,
        encoder: MessageEncoder,
        windows: OrderingWindows,
        amendments: Amendments,
    ) -> None:
        self._database = database
        self._clock = clock
        self._encoder = encoder
        self._windows = windows
        self._amendments = amendments

    async def change(self, actor: User, message_id: int, lines: Any, text: Any = "", reason: Any = "") -> Changed:
        """Replace the lines and the note of an order. The order's earlier quantities count as free stock.

        Raises DomainError: `not_found`, `not_yours`, `gone` (withdrawn), `window_closed` (`late_ms`), `sold_out`,
        `over_limit`, `empty`, `too_long`, `bad_request` (a correction needs a reason), `muted`, `banned`, `forbidden`
        (a bot).
        """
        function = self._function(actor, message_id, lines, text, reason)
        return await self._database.run(function)

    def on_frame(self, frame: ClientFrame, done: Done) -> None:
        """`{"type": "order_change", "id", "lines", "text", "reason"}`; answered by an `ack` with its `receipt`."""

        def answer(changed: Changed | None, error: BaseException | None) -> None:
            if changed is not None:
                frame.reply(answers.ack(client_id, changed.order, changed.message.seq))
            elif isinstance(error, DomainError):
                frame.reply_refusal(error)
            done(error)

        try:
            fields, client_id = frame.fields, frame.text("client_id")
            function = self._function(
                frame.user, frame.id("id"), fields.get("lines"), fields.get("text"), fields.get("reason")
            )
            self._database.submit(function, answer)
        except DomainError as error:  # no function was queued
            frame.refuse(error)
            done(error)

    async def on_form(self, request: web.Request) -> web.Response:
        """Read JSON, or the form of a new order, with `reason`. Answers 200 with the message and its `receipt`."""
        fields = await answers.fields_of(request)
        changed = await self.change(
            member_of(request), path_id(request), fields.get("lines"), fields.get("text"), fields.get("reason")
        )
        return answers.order_answer(request, self._encoder, changed.message, changed.order, 200)

    def _function(self, actor: User, message_id: int, lines: Any, text: Any, reason: Any) -> Any:
        asked_ms = self._clock.now_ms()
        asked, why = order_input.read(lines, text), order_input.reason(reason)
        return lambda tx: self._change(tx, actor, message_id, asked, why, asked_ms)

    def _change(
        self, tx: Transaction, actor: User, message_id: int, asked: OrderInput, reason: str, asked_ms: int
    ) -> Changed:
        actor = permissions.require_buyer(tx, actor, self._clock.now_ms())
        self._windows.close_ended(tx, asked_ms)
        order = store.order(tx, message_id)
        if order is None:
            raise DomainError(ErrorCode.NOT_FOUND)
        window = store.window(tx, order.window_id)
        assert window is not None  # orders are erased with their window
        is_correction = check_correction(window, actor, order.user_id, reason, asked_ms)
        if not order.is_standing:
            raise DomainError(ErrorCode.GONE)
        ledger = LedgerTransaction(tx, window)
        words = asked.words(ledger.items)
        ledger.load_members([order.user_id])
        ledger.take_out(order.user_id, order.lines)
        ledger.check(order.user_id, words)
        ledger.add(order.user_id, words)

        journal.erase_words(tx, order.window_id, order.entry)
        by = {"by": actor.name} if actor.id != order.user_id or is_correction else {}
        why = {"reason": reason} if is_correction else {}
        if by:
            record(tx, asked_ms, AuditAct.ORDER_CHANGE, actor, order.user_id, window=order.window_id, no=order.no)
        receipt = ledger.write(
            "changed", asked_ms, words_of=order.no, no=order.no, user_id=order.user_id, user=order.user,
            **words.as_json(), **by, **why,
        )  # fmt: skip
        was_read = store.change_order(tx, order.id, words, ledger.entries, asked_ms)
        changed = store.order(tx, order.id)
        assert changed is not None
        message = message_store.change_content(tx, order.id, changed.text, changed.extra)
        if message is not None:
            tx.announce(OrderChanged(message, self._encoder))
        if is_correction:
            self._amendments.announce(tx, ledger, actor, asked_ms)
        else:
            tx.announce(OrdersCounted(ledger.save()))
        # Not urgent unless a reading is erased, because a member who changes an order again and again would cause a
        # rewrite of the database each time.
        tx.announce(ContentErased(is_urgent=was_read))
        return Changed(changed._replace(receipt=receipt), message or answers.expired_message(tx, changed))

    ROUTES = (Route("POST", f"/order/{ID}/", on_form, Access.MEMBER),)
    FRAMES = {"order_change": Direct(on_frame)}
