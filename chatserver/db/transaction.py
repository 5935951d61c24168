"""Transaction functions: their access to the database, their jobs in the queue, and the COMMIT of a batch.

The queue and the file are in database.py.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from chatserver.core import tuning
from chatserver.core.errors import DomainError
from chatserver.core.events import Event
from chatserver.db.kept_rows import KeptRows

T = TypeVar("T")
# A sequence for `?`, a mapping for `:name`. Never use `?1`, because Python 3.14 does not accept a sequence for it.
Values = Sequence[Any] | Mapping[str, Any]


class RetryOneByOne(Exception):
    """Raised by a batch function if its items conflict, so that each item is run alone."""


class Batch:
    """Data that the functions of one COMMIT share: values that are read once, and writes that are done once at its end.

    `kept` are the rows that stay in memory between batches, by table: see kept_rows.py.
    """

    __slots__ = ("at_end", "kept", "values")

    def __init__(self, kept: Mapping[str, KeptRows[Any]] = MappingProxyType({})) -> None:
        self.values: dict[str, Any] = {}
        self.at_end: dict[str, TransactionFunction[None]] = {}
        self.kept = kept


class Transaction:
    """The connection, and the list of events to announce.

    All functions of a batch get the same transaction, one after the other. Do not use it outside the connection's
    thread. `execute`, `announce` and `on_rollback` are bound methods of the connection and of two lists, because
    wrappers would be called a dozen times for every message.
    """

    __slots__ = ("agent", "announce", "batch", "events", "execute", "on_rollback", "undo")

    execute: Callable[..., sqlite3.Cursor]
    """`execute(sql, values=())` as in sqlite3.Connection."""
    announce: Callable[[Event], None]
    """Publish an event once the transaction is on disk. The event is dropped if the transaction is rolled back."""
    on_rollback: Callable[[Callable[[], None]], None]
    """The function undoes a change in memory. It is called if this transaction does not reach the disk."""

    def __init__(self, connection: sqlite3.Connection, batch: Batch | None = None) -> None:
        self.batch = batch or Batch()
        # The User-Agent of the request that queued the function, "" if there is none (core/user_agent.py).
        self.agent = ""
        self.events: list[Event] = []
        self.undo: list[Callable[[], None]] = []
        self.execute = connection.execute
        self.announce = self.events.append
        self.on_rollback = self.undo.append

    def one(self, sql: str, values: Values = ()) -> Any:
        """The first row, or None."""
        return self.execute(sql, values).fetchone()

    def all(self, sql: str, values: Values = ()) -> list[Any]:
        return self.execute(sql, values).fetchall()

    def roll_back(self, events: int = 0, undo: int = 0) -> None:
        """Undo all announced events except the first `events`, and all changes in memory except the first `undo`."""
        del self.events[events:]
        while len(self.undo) > undo:
            self.undo.pop()()


TransactionFunction = Callable[[Transaction], T]

# The rows of one INSERT.
_ROWS_AT_ONCE = 64


def insert_rows(
    tx: Transaction, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], tail: str = ""
) -> int:
    """Insert `rows` in their order, in few statements. Returns the id of the last row.

    A row in a shared statement costs half as much as a row in a statement of its own.
    Returns 0 as soon as a statement did not insert all of its rows (`tail` may be an ON CONFLICT … DO NOTHING).
    """
    last_id = 0
    for some in in_powers_of_two(rows):
        inserted = tx.execute(_statement(table, columns, len(some), tail), [*chain.from_iterable(some)])
        if inserted.rowcount != len(some):
            return 0
        last_id = inserted.lastrowid or 0
    return last_id


def in_powers_of_two(rows: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    """Split `rows` into pieces of few different sizes. SQLite keeps a prepared statement for each size."""
    begin = 0
    while left := len(rows) - begin:
        size = min(_ROWS_AT_ONCE, 1 << left.bit_length() - 1)
        yield rows[begin : begin + size]
        begin += size


@cache
def _statement(table: str, columns: tuple[str, ...], rows: int, tail: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) {places(len(columns), rows)} {tail}"  # nosec B608 # constants


def places(columns: int, rows: int) -> str:
    """`VALUES (?, ?), (?, ?)` for this number of columns and rows."""
    row = f"({', '.join('?' * columns)})"
    return f"VALUES {', '.join([row] * rows)}"


# Gets the result of a function, or the exception that it raised.
ResultCallback = Callable[[T | None, BaseException | None], None]
# Handles many items in one call. Returns each item's result, or the error that refuses it. May raise RetryOneByOne.
BatchFunction = Callable[[Transaction, Sequence[Any]], Sequence[T | DomainError]]


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """One transaction function; or one `item` of a batch function, if it `is_batched`.

    `agent` is the User-Agent of the request (core/user_agent.py). `frees`: the function erases, and on a full disk may
    use the disk reserve.
    """

    function: Callable[..., Any]
    answer: ResultCallback[T]
    agent: str = ""
    frees: bool = False
    is_batched: bool = False
    item: Any = None
    result: T | None = None
    error: BaseException | None = None

    def fail(self, error: BaseException) -> None:
        """Set the error as the job's answer, even if its function has returned a result."""
        self.result, self.error = None, error

    def reset(self) -> None:
        """Clear the result and the error before the job runs again."""
        self.result = self.error = None


def resolve(done: asyncio.Future[T], result: T | None, error: BaseException | None) -> None:
    """Give the result or the error to a caller that awaits `done`."""
    if done.done():
        return  # the caller was cancelled, but its job was done
    if isinstance(error, StopIteration):  # a future does not accept a StopIteration
        done.set_exception(RuntimeError(f"a transaction function raised {error!r}"))
    elif error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)  # type: ignore[arg-type]


class NeedsSavepoints(Exception):
    """A function failed after it had written, or a batch function failed: start the batch again with savepoints."""


def commit(
    raw: sqlite3.Connection,
    jobs: Sequence[Job[Any]],
    before_commit: Iterable[TransactionFunction[None]],
    kept: Mapping[str, KeptRows[Any]],
    savepoints: bool,
) -> tuple[list[Event], bool]:
    """Run the jobs in one transaction, and set the result or the error of each job.

    Returns their events, in order, and whether the database was changed. Raises sqlite3.Error or NeedsSavepoints after
    everything was rolled back, in the database and in memory.
    """
    tx = Transaction(raw, shared := Batch(kept))
    try:
        raw.execute("BEGIN IMMEDIATE")
        if kept:
            (version,) = raw.execute("PRAGMA data_version").fetchone()
            for rows in kept.values():
                rows.written.clear()
                if rows.version != version:  # another process has written
                    rows.clear()
                    rows.version = version
        changes = raw.total_changes
        for neighbours in together(jobs, savepoints):
            _run(raw, tx, neighbours, savepoints)
        has_changed = raw.total_changes != changes
        if has_changed:
            tx.agent = ""
            for function in (*before_commit, *shared.at_end.values()):
                function(tx)
        raw.execute("COMMIT")
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        tx.roll_back()
        raise
    # The undo functions may refer to the transaction: without this line a reference cycle would be left.
    tx.undo.clear()
    return tx.events, has_changed


def together(jobs: Iterable[Job[Any]], alone: bool = False) -> list[list[Job[Any]]]:
    """Group adjacent jobs of one batch function, in the order of the batch. If `alone`, each job is a group.

    A text that is stored with others costs a third less: one INSERT has up to 64 rows (docs/performance.md, row 2).
    """
    found: list[list[Job[Any]]] = []
    alone = alone or not tuning.ENABLED
    function = None
    for job in jobs:
        if alone or not job.is_batched or job.function != function:
            found.append([job])
            function = job.function if job.is_batched else None
        else:
            found[-1].append(job)
    return found


def _run(raw: sqlite3.Connection, tx: Transaction, jobs: list[Job[Any]], savepoint: bool) -> None:
    """Run the function of one job, or a batch function for the items of several jobs."""
    job = jobs[0]
    if savepoint:
        raw.execute("SAVEPOINT job")
    changes, events, undo = raw.total_changes, len(tx.events), len(tx.undo)
    tx.agent = job.agent
    try:
        if job.is_batched:
            results = job.function(tx, [each.item for each in jobs])
            for each, result in zip(jobs, results, strict=True):
                if isinstance(result, DomainError):
                    each.error = result.with_traceback(None)  # the traceback would refer back to this job
                else:
                    each.result = result
        else:
            job.result = job.function(tx)
    except Exception as error:
        tx.roll_back(events, undo)
        # A full disk or a failed read ends the whole transaction, so all work of the batch is lost.
        if not raw.in_transaction or is_storage_error(error):
            raise
        # The traceback of a domain error is never read, and refers to this job, which refers to the error.
        failure = error.with_traceback(None) if isinstance(error, DomainError) else error
        for each in jobs:
            each.fail(failure)
        if savepoint:
            raw.execute("ROLLBACK TO job")
        elif raw.total_changes != changes or len(jobs) > 1:
            raise NeedsSavepoints from error
    if savepoint:
        raw.execute("RELEASE job")


_STORAGE_ERRORS = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
}


def is_storage_error(error: BaseException) -> bool:
    """True for an error of the disk, False for an error of a transaction function."""
    # An error of the sqlite3 module itself (for example a wrong number of values) has no SQLite code.
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _STORAGE_ERRORS
