"""One connection to SQLite, one queue before it, one COMMIT for all that waits.

Every read and every write is a transaction function: a plain function over a Transaction, run in the
connection's own thread. The writer takes all functions that wait, runs them inside one `BEGIN
IMMEDIATE`, commits once, answers the callers and publishes the events. A batch in which a function
fails after it has written is begun again, with a SAVEPOINT for each function. So a function that
fails rolls back alone, a caller that was cancelled changes nothing for the others, events leave in
the order of the commits, and a caller that gets an answer has it on disk.

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

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.core.storage_errors import is_transient, refusal
from chatserver.core.user_agent import USER_AGENT
from chatserver.db import loop_ticks, migrations
from chatserver.db.aiosqlite_compat import ThreadConnection
from chatserver.db.disk_reserve import DiskReserve, is_full
from chatserver.db.kept_rows import KeptRows
from chatserver.db.transaction import (
    BatchFunction,
    Job,
    NeedsSavepoints,
    ResultCallback,
    TransactionFunction,
    commit,
    resolve,
)

log = logging.getLogger(__name__)
T = TypeVar("T")

# Jobs in the queue; one more is refused with `busy`.
QUEUE_MAX = 10_000
BATCH_MAX = 1_000
# A disk commits a few thousand batches a second, and the metrics take them out every few seconds.
COMMITTED_MAX = 50_000

Publish = Callable[[list[Event]], None]


class Database:
    """The queue, the writer and the connection. Use `await Database.open(path)`, then `close()`."""

    def __init__(self, path: Path, connection: ThreadConnection, disk_reserve: DiskReserve | None) -> None:
        self.path = path
        # Of the batches that changed something: jobs in each, and seconds of each with its COMMIT. The metrics
        # take them out.
        self.committed: deque[tuple[int, float]] = deque(maxlen=COMMITTED_MAX)
        self._connection = connection
        self._raw = connection.raw
        self._publish: Publish = lambda events: None
        self._before_commit: list[TransactionFunction[None]] = []
        self._kept: dict[str, KeptRows[Any]] = {}
        self._reserve = disk_reserve
        # When the disk last refused a write, in `time.monotonic` seconds.
        self.refused_at = float("-inf")
        self._queue: deque[Job[Any]] = deque()
        self._tasks: deque[Job[Any]] = deque()
        self._wake = asyncio.Event()
        self._is_closing = False
        self._writer = asyncio.create_task(self._write(), name="database writer")

    @classmethod
    async def open(cls, path: Path, disk_reserve: DiskReserve | None = None) -> Database:
        """Open or create the database and bring its schema up to date.

        Raises migrations.DatabaseUnusable, with the file untouched, when it is damaged,
        unreadable, another program's, or newer than this program.
        """
        # Before aiosqlite's thread starts: after a failure the thread would outlive the loop that it answers to.
        raw = await asyncio.to_thread(migrations.connect, path)
        connection = ThreadConnection(lambda: raw, iter_chunk_size=64)
        await connection
        return cls(path, connection, disk_reserve)

    def publish_to(self, publish: Publish) -> None:
        """`publish` gets the events of each batch (maybe none), on the loop, after its COMMIT. It must not fail."""
        self._publish = publish

    def before_each_commit(self, function: TransactionFunction[None]) -> None:
        """Run `function` last in every batch that changed something: a rule that holds in every commit."""
        self._before_commit.append(function)

    async def keep_rows(self, table: str, columns: str) -> None:
        """Let transaction functions keep rows of `table` in memory until one of `columns` changes: see kept_rows.py."""
        rows: KeptRows[Any] = KeptRows()
        await self.between_batches(lambda raw: rows.watch(raw, table, columns))
        self._kept[table] = rows

    async def run(self, function: TransactionFunction[T], *, frees: bool = False) -> T:
        """Queue `function`, and return what it returned once that is on disk.

        What it raises rolls back this function alone and is raised here. Raises DomainError: `busy` when the queue
        is full or another process has locked the file, `storage_full` when the disk refuses the write. `frees`:
        the function erases, and on a full disk may use the disk reserve.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(function, partial(resolve, done), frees=frees)
        try:
            return await done
        finally:
            del done  # an error's traceback refers to this frame, which would refer back to the error

    def submit(self, function: TransactionFunction[T], answer: ResultCallback[T], *, frees: bool = False) -> None:
        """The same without waiting: `answer` is called on the loop with the result or the error.

        A future and the task that awaits it cost a busy room a tenth of its time.
        """
        self._enqueue(Job(function, answer, USER_AGENT.get(), frees))

    def submit_batched(self, function: BatchFunction[T], item: Any, answer: ResultCallback[T]) -> None:
        """The same for what is cheaper together: neighbouring items of the queue are one call of `function`.

        If that raises RetryOneByOne, or fails, each item is run alone, so that none affects its neighbours.
        """
        self._enqueue(Job(function, answer, is_batched=True, item=item))

    async def between_batches(self, task: Callable[[sqlite3.Connection], T]) -> T:
        """Run `task` in the connection's thread while no transaction is open."""
        if self._is_closing:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=1000)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._tasks.append(Job(task, partial(resolve, done)))
        self._wake.set()
        return await done

    async def vacuum(self) -> None:
        """Leave nothing of erased content in the database's files. Raises sqlite3.Error when that failed.

        VACUUM rewrites the database, then a checkpoint empties the write-ahead log. `secure_delete` alone
        is not enough: it overwrites the row that is deleted, but not the copy that stayed in the unused part
        of another page when SQLite moved the row while it was live. Takes 4 ms for 100 messages.
        """
        await self.between_batches(self._vacuum)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._queue)

    async def close(self) -> None:
        """Finish what is queued, then close the file. Later functions are refused with `busy`."""
        if self._is_closing:
            return
        self._is_closing = True
        self._wake.set()
        await self._writer
        await self._connection.close()

    def _enqueue(self, job: Job[Any]) -> None:
        if self._is_closing or len(self._queue) >= QUEUE_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=1000)
        if not self._queue:  # else the writer was woken, and takes all that waits
            self._wake.set()
        self._queue.append(job)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue or self._tasks:
                # What is queued now, never what might come: waiting for more would delay a lone message.
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), BATCH_MAX))]
                tasks = list(self._tasks)
                self._tasks.clear()
                await self._perform(batch, tasks)
                if self._queue:
                    await loop_ticks.between_batches(self._queue)
            if self._is_closing:
                return

    async def _perform(self, batch: list[Job[Any]], tasks: list[Job[Any]]) -> None:
        try:
            events = await self._connection.run(self._perform_in_thread, batch, tasks)
        except Exception as error:  # a fault of this program: fail these callers, keep the writer alive
            log.exception("database batch failed")
            events = []
            for job in (*batch, *tasks):
                job.fail(job.error or error)
        # Answers first: what a caller replies then travels in one write with the batch's events. A caller that
        # awaits resumes after both.
        for job in (*batch, *tasks):
            try:
                job.answer(job.result, job.error)
            except Exception:  # a fault of this program again, and the writer must live
                log.exception("delivering a job's result failed")
        try:
            self._publish(events)
        except Exception:  # what is on disk is on disk: the callers must not get another answer
            log.exception("publishing events failed")

    def _perform_in_thread(self, batch: list[Job[Any]], tasks: list[Job[Any]]) -> list[Event]:
        raw = self._raw
        events: list[Event] = []
        if batch:
            try:
                events = self._commit(raw, batch)
            except sqlite3.Error as error:
                log.error("batch of %d jobs rolled back: %s", len(batch), error)
                if is_transient(error):  # another process holds the file: each job alone would wait as long again
                    for job in batch:
                        job.reset()
                        job.fail(refusal(error))
                else:
                    # The disk took none of it. Run alone, functions that only read are still answered.
                    events = [event for job in batch for event in self._commit_alone(raw, job)]
        if self._reserve and not self._reserve.is_whole:
            self._reserve.fill()
        for task in tasks:
            try:
                task.result = task.function(raw)
            except Exception as error:
                task.error = error
        return events

    def _vacuum(self, raw: sqlite3.Connection) -> None:
        try:
            _vacuum(raw)
        except sqlite3.Error as error:
            if self._reserve is None or not is_full(error):
                raise
            with self._reserve.release():
                _vacuum(raw)

    def _commit(self, raw: sqlite3.Connection, batch: list[Job[Any]]) -> list[Event]:
        """Run all of `batch` in one transaction; returns its events, in order.

        A function usually refuses before its first write, so savepoints are made only for a batch in
        which one did not: a savepoint costs as much as a statement.
        """
        begun = time.perf_counter()
        try:
            events, has_changed = commit(raw, batch, self._before_commit, self._kept, savepoints=False)
        except NeedsSavepoints:
            for job in batch:
                job.reset()
            events, has_changed = commit(raw, batch, self._before_commit, self._kept, savepoints=True)
        if has_changed:
            self.committed.append((len(batch), time.perf_counter() - begun))
        return events

    def _commit_alone(self, raw: sqlite3.Connection, job: Job[Any]) -> list[Event]:
        job.reset()
        try:
            return self._commit(raw, [job])
        except sqlite3.Error as error:
            if job.frees and self._reserve and is_full(error):
                return self._commit_in_reserve(raw, self._reserve, job)
            return self._refuse_write(job, error)

    def _commit_in_reserve(self, raw: sqlite3.Connection, disk_reserve: DiskReserve, job: Job[Any]) -> list[Event]:
        with disk_reserve.release():
            try:
                events = self._commit(raw, [job])
            except sqlite3.Error as error:
                return self._refuse_write(job, error)
            with contextlib.suppress(sqlite3.Error):  # the erasure is on disk; only its log still takes space
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return events

    def _refuse_write(self, job: Job[Any], error: sqlite3.Error) -> list[Event]:
        log.error("transaction rolled back: %s", error)
        if not is_transient(error):
            self.refused_at = time.monotonic()
        job.fail(refusal(error))
        return []


def _vacuum(raw: sqlite3.Connection) -> None:
    raw.execute("VACUUM")
    busy, _, _ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:  # another program reads the file, and what was erased is still in the log
        raise sqlite3.OperationalError("the write-ahead log could not be truncated")
