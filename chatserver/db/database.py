"""One connection to SQLite, with a queue before it, and one COMMIT for all queued functions.

Every read and every write is a transaction function: a plain function over a Transaction, run in the
connection's own thread. The writer takes all queued functions, runs them inside one `BEGIN
IMMEDIATE`, commits once, answers the callers and publishes the events. If a function fails after it
has written, the batch is started again, with a SAVEPOINT for each function. So a function that fails
rolls back alone, a caller that was cancelled changes nothing for the others, events are published in
the order of the commits, and data is on disk when its caller gets the answer.

There is only one connection, because two connections to one file can hit SQLite's WAL-reset bug (3.7.0 to 3.51.2,
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

# Jobs in the queue. Further jobs are refused with `busy`.
QUEUE_MAX = 10_000
BATCH_MAX = 1_000
# The most entries in `batches`. The metrics empty the list every few seconds, and a disk commits a few thousand batches
# a second.
COMMITTED_MAX = 50_000

Publish = Callable[[list[Event]], None]


class Database:
    """The queue, the writer and the connection. Use `await Database.open(path)`, then `close()`."""

    def __init__(self, path: Path, connection: ThreadConnection, disk_reserve: DiskReserve | None) -> None:
        self.path = path
        # For each batch that changed something: its number of jobs, and its seconds with the COMMIT. The metrics
        # remove the entries.
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

        Raises migrations.DatabaseUnusable, and does not change the file, if it is damaged,
        unreadable, another program's, or newer than this program.
        """
        # Before aiosqlite's thread starts, because after a failure the thread would outlive the loop it answers to.
        raw = await asyncio.to_thread(migrations.connect, path)
        connection = ThreadConnection(lambda: raw, iter_chunk_size=64)
        await connection
        return cls(path, connection, disk_reserve)

    def publish_to(self, publish: Publish) -> None:
        """Give `publish` the events of each batch (or none) on the loop, after its COMMIT. `publish` must not fail."""
        self._publish = publish

    def before_each_commit(self, function: TransactionFunction[None]) -> None:
        """Run `function` last in every batch that changed something, for a rule that every commit must keep."""
        self._before_commit.append(function)

    async def keep_rows(self, table: str, columns: str) -> None:
        """Let transaction functions keep rows of `table` in memory until one of `columns` changes: see kept_rows.py."""
        rows: KeptRows[Any] = KeptRows()
        await self.between_batches(lambda raw: rows.watch(raw, table, columns))
        self._kept[table] = rows

    async def run(self, function: TransactionFunction[T], *, frees: bool = False) -> T:
        """Queue `function`, and return its result once the transaction is on disk.

        An exception in it rolls back this function alone and is raised here. Raises DomainError: `busy` if the queue
        is full or another process has locked the file, `storage_full` if the disk refuses the write. `frees`: the
        function erases, and on a full disk may use the disk reserve.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.submit(function, partial(resolve, done), frees=frees)
        try:
            return await done
        finally:
            # The traceback of an error refers to this frame, and `done` refers to the error: this line ends the cycle.
            del done

    def submit(self, function: TransactionFunction[T], answer: ResultCallback[T], *, frees: bool = False) -> None:
        """Like `run`, but without waiting: `answer` is called on the loop with the result or the error.

        In a busy room a future and the task that awaits it would take a tenth of the time.
        """
        self._enqueue(Job(function, answer, USER_AGENT.get(), frees))

    def submit_batched(self, function: BatchFunction[T], item: Any, answer: ResultCallback[T]) -> None:
        """Like `submit`, for items that are cheaper together: items adjacent in the queue go to one call of `function`.

        If the call raises RetryOneByOne, or fails, each item is run alone, so that no item affects another.
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
        """Remove all traces of erased content from the database's files. Raises sqlite3.Error if that failed.

        VACUUM rewrites the database, then a checkpoint empties the write-ahead log. `secure_delete` alone
        is not enough: it overwrites the deleted row, but not a copy of the row that stayed in the unused part of
        another page when SQLite moved the row before it was deleted. Takes 4 ms for 100 messages.
        """
        await self.between_batches(self._vacuum)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._queue)

    async def close(self) -> None:
        """Finish the queued jobs, then close the file. Later functions are refused with `busy`."""
        if self._is_closing:
            return
        self._is_closing = True
        self._wake.set()
        await self._writer
        await self._connection.close()

    def _enqueue(self, job: Job[Any]) -> None:
        if self._is_closing or len(self._queue) >= QUEUE_MAX:
            raise DomainError(ErrorCode.BUSY, retry_after_ms=1000)
        if not self._queue:  # otherwise the writer was woken before, and takes all queued jobs
            self._wake.set()
        self._queue.append(job)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue or self._tasks:
                # Take the jobs that are queued now. Waiting for more jobs would delay a single message.
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
        except Exception as error:  # a bug in this program: fail these callers, keep the writer alive
            log.exception("database batch failed")
            events = []
            for job in (*batch, *tasks):
                job.fail(job.error or error)
        # Answer first, so that the reply of a caller is sent in one write with the batch's events. A caller that
        # awaits continues after both.
        for job in (*batch, *tasks):
            try:
                job.answer(job.result, job.error)
            except Exception:  # a bug in this program: the writer must stay alive
                log.exception("delivering a job's result failed")
        try:
            self._publish(events)
        except Exception:  # the data is on disk, so the callers keep their answers
            log.exception("publishing events failed")

    def _perform_in_thread(self, batch: list[Job[Any]], tasks: list[Job[Any]]) -> list[Event]:
        raw = self._raw
        events: list[Event] = []
        if batch:
            try:
                events = self._commit(raw, batch)
            except sqlite3.Error as error:
                log.error("batch of %d jobs rolled back: %s", len(batch), error)
                # Another process has locked the file. If the jobs ran one by one, each of them would wait for the
                # timeout again.
                if is_transient(error):
                    for job in batch:
                        job.reset()
                        job.fail(refusal(error))
                else:
                    # The disk refused the batch. Run each job alone, so that functions that only read still succeed.
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
        """Run all of `batch` in one transaction. Returns its events, in order.

        A function usually refuses before its first write. So savepoints are made only for a batch in which a
        function failed after a write, because a savepoint costs as much as a statement.
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
            with contextlib.suppress(sqlite3.Error):  # the erasure is on disk; only the log still takes space
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
    if busy:  # another program reads the file, so erased content is still in the log
        raise sqlite3.OperationalError("the write-ahead log could not be truncated")
