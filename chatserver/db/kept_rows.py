"""A cache of rows between batches, for transaction functions. A trigger in SQLite removes a row that is written.

To read a row for every message (the author's) costs 4 µs each time, and the row changes a few times a day. The cache
holds the object that was made from the row. A temporary trigger removes the object when a statement writes one of the
columns, so that no rule needs to know the cache. A row that the current batch has written is not cached before its
COMMIT. A write of another process is noticed at the next batch.
"""

from __future__ import annotations

import sqlite3
from typing import Generic, TypeVar

from chatserver.core import tuning

Row = TypeVar("Row")

# A row takes about 0.5 KB. The cache is cleared instead of exceeding this number; the next message of an active author
# caches its row again.
ROWS_MAX = 20_000


class KeptRows(dict[int, Row], Generic[Row]):
    """Rows of one table by `id`, for the database's thread."""

    def __init__(self) -> None:
        super().__init__()
        # Ids that the current batch has written. These rows are not cached, because the write may be rolled back.
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
