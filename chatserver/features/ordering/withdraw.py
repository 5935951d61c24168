"""Withdraw an order from the ledger when its message is recalled or deleted."""

from __future__ import annotations

from typing import Any

from chatserver.core.events import ContentErased
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages.withdraw import Withdrawn
from chatserver.features.ordering import answers, journal, order_input, store
from chatserver.features.ordering.amend import Amendments, check_correction
from chatserver.features.ordering.events import OrdersCounted
from chatserver.features.ordering.ledger_transaction import LedgerTransaction
from chatserver.features.ordering.window import OrderingWindows


class WithdrawOrder:
    def __init__(self, windows: OrderingWindows, amendments: Amendments) -> None:
        self._windows = windows
        self._amendments = amendments

    def withdraw(self, tx: Transaction, actor: User, message_id: int, reason: str, asked_ms: int) -> Withdrawn | None:
        """Withdraw the order that has this id, if there is one: see messages/withdraw.py.

        Raises DomainError: `not_yours`, `window_closed` (`late_ms`, for the author after the end), `bad_request`
        (`reason`: missing for an administrator after the end, or too long).
        """
        order = store.order(tx, message_id)
        if order is None:
            return None
        if not order.is_standing:
            return Withdrawn(answers.expired_message(tx, order), is_new=False)
        reason = order_input.reason(reason)
        self._windows.close_ended(tx, asked_ms)
        window = store.window(tx, order.window_id)
        assert window is not None  # orders are erased with their window
        is_correction = check_correction(window, actor, order.user_id, reason, asked_ms)

        ledger = LedgerTransaction(tx, window)
        ledger.load_members([order.user_id])
        ledger.take_out(order.user_id, order.lines)
        store.withdraw_order(tx, order.id, asked_ms)
        journal.erase_words(tx, order.window_id, order.entry)
        by: dict[str, Any] = {"by": actor.name, "reason": reason} if is_correction else {"by": actor.name}
        ledger.write("withdrawn", asked_ms, no=order.no, user_id=order.user_id, user=order.user, **by)
        if is_correction or actor.id != order.user_id:
            record(tx, asked_ms, AuditAct.ORDER_WITHDRAW, actor, order.user_id, window=order.window_id, no=order.no)
        if is_correction:
            self._amendments.announce(tx, ledger, actor, asked_ms)
        else:
            tx.announce(OrdersCounted(ledger.save()))
        tx.announce(ContentErased(is_urgent=True))
        emptied = order._replace(is_standing=False, lines="[]", note="", total=None, entry=None)
        return Withdrawn(answers.expired_message(tx, emptied), is_new=True)
