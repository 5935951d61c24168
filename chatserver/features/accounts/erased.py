"""Erases old names from an upgrade copy if they were erased in the database after the copy was made (db/vacuum.py)."""

from __future__ import annotations

from collections.abc import Callable

from chatserver.core import json
from chatserver.db.transaction import Transaction


def erased_old_names(tx: Transaction) -> Callable[[Transaction], int]:
    """Read the old names that are still stored. The returned function erases all other old names from a copy.

    A copy with an older schema has no old names.
    """
    rows = tx.all("SELECT user_id, renamed_ms, old_name FROM renames WHERE old_name IS NOT NULL")
    kept = json.encode_value([list(row) for row in rows])

    def erase(copy: Transaction) -> int:
        if copy.one("SELECT 1 FROM sqlite_schema WHERE name = 'renames'") is None:
            return 0
        return copy.execute(
            "UPDATE renames SET old_name = NULL, old_skeleton = NULL WHERE old_name IS NOT NULL"
            " AND (user_id, renamed_ms, old_name) NOT IN"
            " (SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))",
            (kept,),
        ).rowcount

    return erase
