"""Delete from an upgrade copy the messages that were erased after the copy was made (see db/vacuum.py)."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.core import json
from chatserver.db import sequence
from chatserver.db.transaction import Transaction


def erased_messages(tx: Transaction) -> Callable[[Transaction], int]:
    """Read which messages are erased. The returned function deletes their rows from a copy of any schema.

    A message whose text was replaced since the copy is deleted from the copy completely, because the copy is for an
    upgrade that failed and must not keep text that was taken back. Each change of a text takes a new `seq`.
    """
    first_id = sequence.read(tx).first_id
    ids = [row[0] for row in tx.all("SELECT id FROM messages WHERE state <> 'live'")]
    changed = tx.all("SELECT id, text FROM messages WHERE state = 'live' AND seq <> posted_seq")
    texts = json.encode_value([list(row) for row in changed])

    def erase(copy: Transaction) -> int:
        sequence.raise_first_id(copy, first_id)
        return copy.execute(
            "DELETE FROM messages WHERE id < ? OR id IN (SELECT value FROM json_each(?))"
            " OR id IN (SELECT m.id FROM json_each(?) now JOIN messages m ON m.id = now.value ->> 0"
            " WHERE m.text <> now.value ->> 1)",
            (first_id, json.encode_value(ids), texts),
        ).rowcount

    return erase
