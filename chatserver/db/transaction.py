"""What a unit of work sees of the database. See database.py for how units are run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from chatserver.core.events import Event

T = TypeVar("T")
# For `?`, and for `:name`. Never `?1`: Python 3.14 takes no sequence for those.
Values = Sequence[Any] | Mapping[str, Any]


class RetryOneByOne(Exception):
    """Raised by a unit of many whose items do not go together: each is to be done by itself."""


class Batch:
    """What the units of one COMMIT share: values read once, and what is to be written once, at its end."""

    __slots__ = ("endings", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.endings: dict[str, TransactionFunction[None]] = {}


class Transaction:
    """What a unit sees: the connection, and a place to say what happened.

    Lives as long as its unit. Not for use outside the connection's thread.
    """

    __slots__ = ("_connection", "_undo", "batch", "events")

    def __init__(self, connection: sqlite3.Connection, batch: Batch | None = None) -> None:
        self._connection = connection
        self.batch = batch or Batch()
        self._undo: list[Callable[[], None]] = []
        self.events: list[Event] = []

    def execute(self, sql: str, values: Values = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, values)

    def one(self, sql: str, values: Values = ()) -> Any:
        """The first row, or None."""
        return self._connection.execute(sql, values).fetchone()

    def all(self, sql: str, values: Values = ()) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def announce(self, event: Event) -> None:
        """Tell the room, once this is on disk; never, if it is rolled back."""
        self.events.append(event)

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Take back a change made in memory, should this unit not reach the disk."""
        self._undo.append(undo)

    def keep(self) -> None:
        """It is on disk. What was to be undone, which may know this transaction, would else wait for the collector."""
        self._undo.clear()

    def roll_back(self) -> None:
        self.events.clear()
        while self._undo:
            self._undo.pop()()


TransactionFunction = Callable[[Transaction], T]
