"""How many orders a member has in the open window, for the member's card."""

from __future__ import annotations

from chatserver.db.transaction import Transaction
from chatserver.features.ordering import store


def count(tx: Transaction, user_id: int) -> int | None:
    """How many orders are not withdrawn; None if no window is open."""
    window = store.open_window(tx)
    if window is None:
        return None
    sql = "SELECT count(*) FROM orders WHERE window_id = ? AND user_id = ? AND state = 'accepted'"
    (orders,) = tx.one(sql, (window.id, user_id))
    return int(orders)
