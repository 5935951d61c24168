"""Rows that transaction functions keep in memory from one batch to the next. SQLite itself has them forgotten.

A row that is read for every message (its author's) costs 4 µs each time, and changes a few times a day. It is kept as
the object that was made of it. A temporary trigger forgets it whenever a statement writes one of the columns, so no
rule has to know of it; a row that the batch under way has written is not kept before its COMMIT. What another process
writes is noticed at the next batch.
"""

from __future__ import annotations

import sqlite3
from typing import Generic, TypeVar

from chatserver.core import tuning

Row = TypeVar("Row")

# At some 0.5 KB each. Past that all are forgotten: who writes now is kept again with the next message.
ROWS_MAX = 20_000


class KeptRows(dict[int, Row], Generic[Row]):
    """Rows of one table by `id`, for the database's thread."""

    def __init__(self) -> None:
        super().__init__()
        # Written by the batch that is under way: what is read of them may be rolled back.
        self.written: set[int] = set()
        # `PRAGMA data_version`, which changes when another process writes to the file.
        self.version = 0

    def keep(self, rows: dict[int, Row]) -> None:
        """Keep rows that were just read, except those that this batch has written."""
        if not tuning.ENABLED:
            return
        if len(self) + len(rows) > ROWS_MAX:
            self.clear()
        self.update((row_id, row) for row_id, row in rows.items() if row_id not in self.written)

    def watch(self, connection: sqlite3.Connection, table: str, columns: str) -> None:
        """Forget a row as soon as a statement of `connection` inserts or deletes it, or writes one of `columns`."""
        function = f"forget_{table}"
        connection.create_function(function, 1, self._forget)
        for event, row in (("INSERT", "NEW"), (f"UPDATE OF {columns}", "NEW"), ("DELETE", "OLD")):
            name = f"{function}_{event.split()[0].lower()}"
            connection.execute(
                f"CREATE TEMP TRIGGER {name} AFTER {event} ON main.{table} BEGIN SELECT {function}({row}.id); END"
            )

    def _forget(self, row_id: int) -> None:
        self.pop(row_id, None)
        self.written.add(row_id)
