"""What a transaction function sees of the database. See database.py for how functions are run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from chatserver.core.events import Event

T = TypeVar("T")
# For `?`, and for `:name`. Never `?1`: Python 3.14 takes no sequence for those.
Values = Sequence[Any] | Mapping[str, Any]


class RetryOneByOne(Exception):
    """Raised by a batch function whose items conflict: each is to be run alone."""


class Batch:
    """What the functions of one COMMIT share: values read once, and writes that are done once, at its end."""

    __slots__ = ("at_end", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.at_end: dict[str, TransactionFunction[None]] = {}


class Transaction:
    """The connection, and the list of events to announce.

    Lives as long as its function. Not for use outside the connection's thread. `execute`, `announce` and
    `on_rollback` are bound methods of the connection and of two lists: a wrapper of each would be
    called a dozen times for every message.
    """

    __slots__ = ("_undo", "agent", "announce", "batch", "events", "execute", "on_rollback")

    execute: Callable[..., sqlite3.Cursor]
    """`execute(sql, values=())`, as sqlite3.Connection has it."""
    announce: Callable[[Event], None]
    """Publish an event once the transaction is on disk; never, if it is rolled back."""
    on_rollback: Callable[[Callable[[], None]], None]
    """Call a function, which takes back a change in memory, if this one does not reach the disk."""

    def __init__(self, connection: sqlite3.Connection, batch: Batch | None = None) -> None:
        self.batch = batch or Batch()
        # The User-Agent of the request that asked for it, "" for none (core/agent.py).
        self.agent = ""
        self.events: list[Event] = []
        self._undo: list[Callable[[], None]] = []
        self.execute = connection.execute
        self.announce = self.events.append
        self.on_rollback = self._undo.append

    def one(self, sql: str, values: Values = ()) -> Any:
        """The first row, or None."""
        return self.execute(sql, values).fetchone()

    def all(self, sql: str, values: Values = ()) -> list[Any]:
        return self.execute(sql, values).fetchall()

    def keep(self) -> None:
        """It is on disk. The undo functions may refer to this transaction: dropped now, no cycle is left."""
        self._undo.clear()

    def roll_back(self) -> None:
        self.events.clear()
        while self._undo:
            self._undo.pop()()


TransactionFunction = Callable[[Transaction], T]
