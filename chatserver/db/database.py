"""One connection to SQLite, one queue before it, one COMMIT for all that waits.

Every read and every write is a *unit*: a plain function over a Transaction, run in the
connection's own thread. The writer takes all units that wait, runs them inside one `BEGIN
IMMEDIATE`, commits once, publishes what they announced, and only then tells the callers. A batch in
which a unit fails after it has written is begun again, with a SAVEPOINT for each unit.
So a unit that is refused rolls back alone, a caller that was cancelled changes nothing for the
others, events leave in the order of the commits, and whoever got an answer has it on disk.

Only one connection, because two on one file can hit SQLite's WAL-reset bug (3.7.0 to 3.51.2,
https://www.sqlite.org/wal.html#walresetbug), and because coroutines that share a connection
without a queue commit and roll back each other's work.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.core.histogram import Histogram
from chatserver.db import migrations
from chatserver.db.disk_reserve import DiskReserve, is_full
from chatserver.db.jobs import Answer, BatchedJob, BatchFunction, Group, Job, group_neighbours, settle
from chatserver.db.transaction import Batch, Transaction, TransactionFunction

log = logging.getLogger(__name__)
T = TypeVar("T")

WAITING_MAX = 10_000
BATCH_MAX = 1_000
_ROUNDS_TO_BE_HEARD = 4
_BATCH_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_SECONDS_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

Publish = Callable[[list[Event]], None]


class _HalfDone(Exception):
    """A unit failed after it had written something, or must be done in parts, and nothing tells them apart yet."""


class _Connection(aiosqlite.Connection):
    """aiosqlite's thread, given a whole batch at once: a hop costs 0.1 ms, a statement 5 µs."""

    async def run(self, function: Callable[..., T], *values: Any) -> T:
        result: T = await self._execute(function, *values)  # type: ignore[no-untyped-call]
        return result

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn


class Database:
    """The queue, the writer and the connection. Use `await Database.open(path)`, then `close()`."""

    def __init__(self, path: Path, connection: _Connection, disk_reserve: DiskReserve | None) -> None:
        self.path = path
        self.commits = 0
        # Of the batches that changed something: units in each, and how long each took with its COMMIT.
        self.batch_units = Histogram(_BATCH_BOUNDS)
        self.commit_seconds = Histogram(_SECONDS_BOUNDS)
        self._connection = connection
        self._publish: Publish = lambda events: None
        self._closing_units: list[TransactionFunction[None]] = []
        self._reserve = disk_reserve
        # When a write was last not taken by the disk, in `time.monotonic` seconds.
        self.refused_at = float("-inf")
        self._waiting: deque[Job[Any]] = deque()
        self._tasks: deque[Job[Any]] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._writer = asyncio.create_task(self._write(), name="database writer")

    @classmethod
    async def open(cls, path: Path, disk_reserve: DiskReserve | None = None) -> Database:
        """Open or create the database and bring its schema up to date.

        Raises migrations.DatabaseUnusable, with the file untouched, when it is damaged,
        unreadable, somebody else's, or newer than this program.
        """
        # Before aiosqlite's thread starts: after a failure it would outlive the loop that it answers to.
        raw = await asyncio.to_thread(migrations.connect, path)
        connection = _Connection(lambda: raw, iter_chunk_size=64)
        await connection
        return cls(path, connection, disk_reserve)

    def publish_to(self, publish: Publish) -> None:
        """`publish` gets the events of each batch, on the loop, after its COMMIT. It must not fail."""
        self._publish = publish

    def before_each_commit(self, unit: TransactionFunction[None]) -> None:
        """Run `unit` last in every batch that changed something: a rule that holds in every commit."""
        self._closing_units.append(unit)

    async def run(self, unit: TransactionFunction[T], *, frees: bool = False) -> T:
        """Queue `unit`, and return what it returned once that is on disk.

        Whatever it raises rolls back this unit alone and is raised here. Refuses with `busy` when
        the queue is full, and with `storage_full` when the disk does not take it. `frees`: the unit
        erases, and on a full disk is given the ballast's room.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(unit, partial(settle, done), frees=frees)
        try:
            return await done
        finally:
            del done  # an error's traceback leads to this frame, and from here would lead back to the error

    def submit(self, unit: TransactionFunction[T], answer: Answer[T], *, frees: bool = False) -> None:
        """The same for who does not wait: `answer` is called on the loop with the result or the error.

        A future and the task that awaits it cost a busy room a tenth of its time.
        """
        self._queue(Job(unit, answer, frees))

    def submit_batched(self, unit: BatchFunction[T], item: Any, answer: Answer[T]) -> None:
        """The same for what is cheaper together: items that stand side by side in the queue are one call of `unit`.

        If that raises RetryOneByOne, or fails, each item is done by itself, so that none harms its neighbours.
        """
        self._queue(BatchedJob(unit, item, answer))

    async def between_batches(self, task: Callable[[sqlite3.Connection], T]) -> T:
        """Run `errand` in the connection's thread while no transaction is open."""
        if self._is_closing:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=1000)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tasks.append(Job(task, partial(settle, done)))  # type: ignore[arg-type]
        self._wake.set()
        return await done

    async def vacuum(self) -> None:
        """Leave nothing of erased content in the database's files. Raises sqlite3.Error when that failed.

        The database is written anew, then its log folded in and cut to nothing. `secure_delete` alone
        is not enough: it wipes the row that goes, but not the copy that stayed in the unused part of
        another page when SQLite moved the row while it was live. Takes 4 ms for 100 messages.
        """
        await self.between_batches(self._vacuum)

    def _queue(self, job: Job[Any]) -> None:
        if self._is_closing or len(self._waiting) >= WAITING_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=1000)
        self._waiting.append(job)
        self._wake.set()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def close(self) -> None:
        """Let what waits finish, then close the file. Later units are refused with `busy`."""
        if self._is_closing:
            return
        self._is_closing = True
        self._wake.set()
        await self._writer
        await self._connection.close()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting or self._tasks:
                # What waits now, never what might come: gathering would add latency to a lone message.
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_MAX))]
                tasks = list(self._tasks)
                self._tasks.clear()
                await self._perform(batch, tasks)
                if self._waiting:
                    await _let_the_loop_catch_up()
            if self._is_closing:
                return

    async def _perform(self, batch: list[Job[Any]], tasks: list[Job[Any]]) -> None:
        try:
            announced = await self._connection.run(self._perform_in_thread, batch, tasks)
        except Exception as error:  # a fault of ours: fail these callers, keep the writer alive
            log.exception("database batch failed")
            announced = []
            for job in (*batch, *tasks):
                job.error = job.error or error
        try:
            if announced:
                self._publish(announced)
        except Exception:  # what is on disk is on disk: the callers must not hear otherwise
            log.exception("publishing events failed")
        for job in (*batch, *tasks):
            try:
                job.answer(job.result, job.error)
            except Exception:  # a fault of ours again, and the writer must live
                log.exception("delivering a job's result failed")

    def _perform_in_thread(self, batch: list[Job[Any]], tasks: list[Job[Any]]) -> list[Event]:
        raw = self._connection.raw
        announced: list[Event] = []
        if batch:
            try:
                announced = self._commit(raw, batch)
            except sqlite3.Error as error:
                # The disk took none of it. Alone, those that only read will still be answered.
                log.error("batch of %d jobs rolled back: %s", len(batch), error)
                announced = [event for job in batch for event in self._commit_alone(raw, job)]
        if self._reserve and not self._reserve.is_whole:
            self._reserve.fill()
        for task in tasks:
            try:
                task.result = task.unit(raw)  # type: ignore[arg-type]
            except Exception as error:
                task.error = error
        return announced

    def _vacuum(self, raw: sqlite3.Connection) -> None:
        try:
            _vacuum(raw)
        except sqlite3.Error as error:
            if self._reserve is None or not is_full(error):
                raise
            with self._reserve.release():
                _vacuum(raw)

    def _commit(self, raw: sqlite3.Connection, batch: list[Job[Any]]) -> list[Event]:
        """Run all of `batch` in one transaction; what they announced, in order.

        Refusals come before a unit's first write as a rule, so savepoints are made only for a batch
        in which one did not: they cost as much as a statement each.
        """
        try:
            return self._commit_together(raw, batch, savepoints=False)
        except _HalfDone:
            for job in batch:
                job.forget()
            return self._commit_together(raw, batch, savepoints=True)

    def _commit_together(self, raw: sqlite3.Connection, batch: list[Job[Any]], savepoints: bool) -> list[Event]:
        """Raises sqlite3.Error or _HalfDone when nothing of `batch` was kept, with all in memory taken back."""
        transactions: list[Transaction] = []
        shared = Batch()
        begun = time.perf_counter()
        try:
            raw.execute("BEGIN IMMEDIATE")
            changes = raw.total_changes
            for work in batch if savepoints else group_neighbours(batch):
                transactions.append(transaction := Transaction(raw, shared))
                self._run_unit(raw, work, transaction, savepoints)
            has_changed = raw.total_changes != changes
            if has_changed:
                transactions.append(last := Transaction(raw, shared))
                for unit in (*self._closing_units, *shared.endings.values()):
                    unit(last)
                self.commits += 1
            raw.execute("COMMIT")
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            for transaction in reversed(transactions):
                transaction.roll_back()
            raise
        for transaction in transactions:
            transaction.keep()
        if has_changed:
            self.batch_units.note(len(batch))
            self.commit_seconds.note(time.perf_counter() - begun)
        return [event for transaction in transactions for event in transaction.events]

    def _commit_alone(self, raw: sqlite3.Connection, job: Job[Any]) -> list[Event]:
        job.forget()
        try:
            return self._commit(raw, [job])
        except sqlite3.Error as error:
            if job.frees and self._reserve and is_full(error):
                return self._commit_in_reserve(raw, self._reserve, job)
            return self._not_written(job, error)

    def _commit_in_reserve(self, raw: sqlite3.Connection, disk_reserve: DiskReserve, job: Job[Any]) -> list[Event]:
        with disk_reserve.release():
            try:
                events = self._commit(raw, [job])
            except sqlite3.Error as error:
                return self._not_written(job, error)
            with contextlib.suppress(sqlite3.Error):  # the erasure is on disk; only its log still takes room
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return events

    def _not_written(self, job: Job[Any], error: sqlite3.Error) -> list[Event]:
        log.error("transaction rolled back: %s", error)
        self.refused_at = time.monotonic()
        job.error = DomainError(ErrorCode.STORAGE_FULL)
        return []

    def _run_unit(
        self, raw: sqlite3.Connection, work: Job[Any] | Group[Any], transaction: Transaction, savepoint: bool
    ) -> None:
        if savepoint:
            raw.execute("SAVEPOINT unit")
        changes = raw.total_changes
        try:
            work.run(transaction)
        except Exception as error:
            transaction.roll_back()
            # A full disk or a failed read ends the whole transaction; everybody's work is lost then.
            if not raw.in_transaction or _is_storage_trouble(error):
                raise
            # Of a refusal nobody reads the traceback, which leads to this job, and so back to the error.
            work.fail(error.with_traceback(None) if isinstance(error, DomainError) else error)
            if savepoint:
                raw.execute("ROLLBACK TO unit")
            elif raw.total_changes != changes or isinstance(work, Group):
                raise _HalfDone from error
        if savepoint:
            raw.execute("RELEASE unit")


async def _let_the_loop_catch_up() -> None:
    """Hear what has come already, so that it joins those who wait for the next batch.

    No time is waited for. Without it a busy room's senders fall into two halves, of which one is
    heard while the other is written: twice the batches, and two threads that fight for one lock.
    A frame that lies in its socket becomes a unit in so many rounds of the loop.
    """
    for _ in range(_ROUNDS_TO_BE_HEARD):
        await asyncio.sleep(0)


def _vacuum(raw: sqlite3.Connection) -> None:
    raw.execute("VACUUM")
    busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:  # somebody outside reads the file, and what was erased is still in the log
        raise sqlite3.OperationalError("the write-ahead log could not be truncated")


_TROUBLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_BUSY,
}


def _is_storage_trouble(error: BaseException) -> bool:
    """True for what the disk did to us, false for what a unit did wrong."""
    # What the module itself refuses (a wrong number of values, say) has no code of SQLite's.
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _TROUBLE
