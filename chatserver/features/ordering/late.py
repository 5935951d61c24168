"""The refusal of what comes after the end of a window, with how late it came."""

from __future__ import annotations

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import store


def window_closed(tx: Transaction, window_id: int | None, received_ms: int) -> DomainError:
    """`window_closed`, with `late_ms` since the end of the window that was named, else of the last one.

    Without `late_ms` where there never was one, or where the one that was named is not kept, or not over.
    """
    row = store.window(tx, window_id) if window_id is not None else store.open_window(tx) or store.newest_closed(tx)
    if row is None:
        return DomainError(ErrorCode.WINDOW_CLOSED)
    late_ms = received_ms - row.shown(()).closes_ms
    if late_ms < 0:
        return DomainError(ErrorCode.WINDOW_CLOSED)
    return DomainError(ErrorCode.WINDOW_CLOSED, late_ms=late_ms)
