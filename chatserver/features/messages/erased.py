"""Erases from a copy of the database the messages that have been erased since: see db/vacuum.py."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.core import json
from chatserver.db import sequence
from chatserver.db.transaction import Transaction


def erased_messages(tx: Transaction) -> Callable[[Transaction], int]:
    """Read which messages are erased; the function that deletes their rows from a copy of any schema."""
    first_id = sequence.read(tx).first_id
    ids = [row[0] for row in tx.all("SELECT id FROM messages WHERE state <> 'live'")]

    def erase(copy: Transaction) -> int:
        sequence.raise_first_id(copy, first_id)
        return copy.execute(
            "DELETE FROM messages WHERE id < ? OR id IN (SELECT value FROM json_each(?))",
            (first_id, json.encode_value(ids)),
        ).rowcount

    return erase
