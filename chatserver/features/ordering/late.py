"""The error for a request that comes after the end of a window. It says how late the request came."""

from __future__ import annotations

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import store


def window_closed(tx: Transaction, window_id: int | None, received_ms: int) -> DomainError:
    """`window_closed`, with `late_ms` since the end of window `window_id`, or of the last window if that is None.

    `late_ms` is missing if that window does not exist, is not kept any more, or is still open.
    """
    row = store.window(tx, window_id) if window_id is not None else store.open_window(tx) or store.newest_closed(tx)
    if row is None:
        return DomainError(ErrorCode.WINDOW_CLOSED)
    late_ms = received_ms - row.shown(()).closes_ms
    if late_ms < 0:
        return DomainError(ErrorCode.WINDOW_CLOSED)
    return DomainError(ErrorCode.WINDOW_CLOSED, late_ms=late_ms)
