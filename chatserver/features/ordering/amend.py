"""Corrections: who may change an order, and the message that tells the room of a change after the window's close."""

from __future__ import annotations

from chatserver.core import json
from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Preset, User
from chatserver.db.transaction import Transaction
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.preset import post_preset
from chatserver.features.ordering.events import OrdersCounted
from chatserver.features.ordering.ledger_transaction import LedgerTransaction
from chatserver.features.ordering.store import WindowRow

TEXT = "更正下单"


class Amendments:
    def __init__(self, settings: CurrentConfig, encoder: MessageEncoder) -> None:
        self._settings = settings
        self._encoder = encoder

    def announce(self, tx: Transaction, ledger: LedgerTransaction, actor: User, now_ms: int) -> None:
        """Save the ledger of a closed window, and post a message with its new digest."""
        window = ledger.save()
        tx.announce(OrdersCounted(window))
        post_preset(
            tx,
            self._encoder,
            actor,
            Preset.AMENDED,
            now_ms,
            self._settings.now.recall_ms,
            text=TEXT,
            closes_ms=window.closes_ms,
            window_id=window.id,
            extra=json.encode_value({"digest": window.digest}),
        )


def check_correction(window: WindowRow, actor: User, author_id: int, reason: str, asked_ms: int) -> bool:
    """Check that `actor` may change an order of member `author_id`. True for a correction, which needs a reason.

    `asked_ms`: when the server read the request. Raises DomainError: `not_yours`, `window_closed` (`late_ms`),
    `bad_request` (`reason`).
    """
    if actor.id != author_id and not actor.is_administrator:
        raise DomainError(ErrorCode.NOT_YOURS)
    is_over = window.closed_ms is not None or asked_ms >= window.closes_ms
    if is_over and not actor.is_administrator:
        late_ms = asked_ms - window.shown(()).closes_ms
        raise DomainError(ErrorCode.WINDOW_CLOSED, **({"late_ms": late_ms} if late_ms >= 0 else {}))
    if is_over and not reason:
        raise DomainError(ErrorCode.BAD_REQUEST, field="reason", reason="correction")
    return is_over
