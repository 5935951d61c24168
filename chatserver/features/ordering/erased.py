"""Delete from an upgrade copy the orders and ledgers that were erased after the copy was made (see db/vacuum.py)."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.core import json
from chatserver.db.transaction import Transaction


def erased_orders(tx: Transaction) -> Callable[[Transaction], int]:
    """Read what the database keeps. The returned function deletes everything else from a copy.

    A copy of an older schema may have no ledgers. A changed order is deleted from the copy completely, because
    the copy is for an upgrade that failed and must not keep text that was taken back.
    """
    kept = json.encode_value([row[0] for row in tx.all("SELECT id FROM windows")])
    standing = json.encode_value(
        [list(row) for row in tx.all("SELECT message_id, changed_ms FROM orders WHERE state = 'accepted'")]
    )

    readings = json.encode_value([list(row) for row in tx.all("SELECT message_id, lines FROM order_readings")])

    def erase(copy: Transaction) -> int:
        if copy.one("SELECT 1 FROM sqlite_schema WHERE name = 'orders'") is None:
            return 0
        windows = copy.execute("DELETE FROM windows WHERE id NOT IN (SELECT value FROM json_each(?))", (kept,)).rowcount
        gone = copy.all(
            "DELETE FROM orders WHERE (message_id, changed_ms) NOT IN"
            " (SELECT value ->> 0, value ->> 1 FROM json_each(?)) RETURNING window_id, no",
            (standing,),
        )
        copy.execute(
            "UPDATE journal SET salt = NULL, body = NULL WHERE (window_id, order_no) IN"
            " (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
            (json.encode_value([list(row) for row in gone]),),
        )
        return windows + len(gone) + _erase_readings(copy, readings)

    return erase


def _erase_readings(copy: Transaction, kept: str) -> int:
    """Delete the readings that are not in `kept`, a JSON list of [order's id, lines]. Returns how many."""
    if copy.one("SELECT 1 FROM sqlite_schema WHERE name = 'order_readings'") is None:
        return 0
    return copy.execute(
        "DELETE FROM order_readings WHERE (message_id, lines) NOT IN"
        " (SELECT value ->> 0, value ->> 1 FROM json_each(?))",
        (kept,),
    ).rowcount
