"""The queue before the only connection: which caller gets which answer, when, and in which order."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.db import database as database_module
from chatserver.db.database import Database
from chatserver.db.transaction import RetryOneByOne, Transaction, TransactionFunction
from chatserver.features.messages.recall import RecallWindowClosed


def write(body: str) -> TransactionFunction[int]:
    """A transaction function that writes a note, announces its id and returns it."""

    def unit(tx: Transaction) -> int:
        note: int = tx.one("INSERT INTO notes (body) VALUES (?) RETURNING id", (body,))[0]
        tx.announce(RecallWindowClosed(note, 0))
        return note

    return unit


def count(tx: Transaction) -> int:
    number: int = tx.one("SELECT count(*) FROM notes")[0]
    return number


def bodies(tx: Transaction) -> list[str]:
    return [row[0] for row in tx.all("SELECT body FROM notes ORDER BY id")]


def refused(tx: Transaction) -> None:
    write("what was refused")(tx)
    raise DomainError(ErrorCode.FORBIDDEN)


async def together(database: Database, *units: TransactionFunction[Any]) -> list[Any]:
    """Run the functions in one batch: all are queued before the writer wakes up. Returns answers or errors, in
    order."""
    return await asyncio.gather(*(database.run(unit) for unit in units), return_exceptions=True)


async def page_limit(database: Database, pages: int | None = None) -> None:
    """Limit the disk to this number of pages; None: no more than it has now."""

    def task(raw: sqlite3.Connection) -> None:
        most = pages or raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count = {most}")

    await database.between_batches(task)


@pytest.fixture
def published(database: Database) -> list[int]:
    """The ids of the notes that were announced."""
    ids: list[int] = []
    database.publish_to(lambda events: ids.extend(ids_of(events)))
    return ids


def ids_of(events: list[Event]) -> Iterator[int]:
    return (event.id for event in events if isinstance(event, RecallWindowClosed))


# One function and the others of its batch


def commits(database: Database) -> int:
    return len(database.committed)


async def test_a_refused_unit_rolls_back_alone(database: Database, published: list[int]) -> None:
    first, error, last = await together(database, write("first"), refused, write("last"))
    assert isinstance(error, DomainError) and error.code is ErrorCode.FORBIDDEN
    assert await database.run(bodies) == ["first", "last"]
    assert published == [first, last]


@pytest.mark.parametrize("error", [ZeroDivisionError("ours"), StopIteration(7), sqlite3.IntegrityError("ours")])
async def test_a_unit_that_fails_harms_nobody_else(database: Database, error: Exception) -> None:
    def broken(tx: Transaction) -> None:
        write("broken")(tx)
        raise error

    answers = await together(database, write("before"), broken, write("after"))
    assert isinstance(answers[1], RuntimeError if isinstance(error, StopIteration) else type(error))
    assert await database.run(bodies) == ["before", "after"]


async def test_a_statement_that_is_refused_harms_nobody_else(database: Database) -> None:
    def twice(tx: Transaction) -> None:
        tx.execute("INSERT INTO notes (id, body) VALUES (50, 'once')")
        tx.execute("INSERT INTO notes (id, body) VALUES (50, 'twice')")

    answers = await together(database, write("before"), twice, write("after"))
    assert isinstance(answers[1], sqlite3.IntegrityError)
    assert await database.run(bodies) == ["before", "after"]


async def test_a_unit_sees_what_those_before_it_in_the_batch_wrote(database: Database) -> None:
    answers = await together(database, write("a"), count, refused, count, write("b"), count)
    assert [answers[index] for index in (1, 3, 5)] == [1, 1, 2]


async def test_what_a_refused_unit_changed_in_memory_is_taken_back_in_reverse(database: Database) -> None:
    undone: list[str] = []

    def unit(tx: Transaction) -> None:
        tx.on_rollback(lambda: undone.append("first"))
        tx.on_rollback(lambda: undone.append("second"))
        raise DomainError(ErrorCode.FORBIDDEN)

    with pytest.raises(DomainError):
        await database.run(unit)
    assert undone == ["second", "first"]


async def test_what_a_unit_changed_in_memory_stays_when_it_is_on_disk(database: Database) -> None:
    noted: list[str] = []

    def note(tx: Transaction) -> None:
        noted.append("kept")
        tx.on_rollback(lambda: noted.remove("kept"))

    await together(database, note, write("a"), refused)
    assert noted == ["kept"]


# Cancelled callers


async def test_a_cancelled_caller_changes_nothing_and_its_unit_takes_place(
    database: Database, published: list[int]
) -> None:
    running, gate = threading.Event(), threading.Event()

    def slow(tx: Transaction) -> int:
        running.set()
        assert gate.wait(10)
        return write("slow")(tx)

    impatient = asyncio.create_task(database.run(slow))
    neighbours = [asyncio.create_task(database.run(write(name))) for name in ("a", "b")]
    assert await asyncio.to_thread(running.wait, 10)
    late = asyncio.create_task(database.run(write("cancelled while it waits")))
    after = asyncio.create_task(database.run(write("after")))
    await asyncio.sleep(0)
    impatient.cancel()
    late.cancel()
    gate.set()
    ids = await asyncio.gather(*neighbours, after)
    assert impatient.cancelled() and late.cancelled()
    assert await database.run(bodies) == ["slow", "a", "b", "cancelled while it waits", "after"]
    assert published == [1, *ids[:2], 4, ids[2]]


# Order


async def test_events_are_published_in_the_order_of_the_commits(database: Database, published: list[int]) -> None:
    async def member(name: int) -> None:
        for number in range(10):
            if (name + number) % 7 == 3:
                with pytest.raises(DomainError):
                    await database.run(refused)
            await database.run(write(f"{name}: {number}"))

    await asyncio.gather(*(member(name) for name in range(20)))
    assert len(published) == 200
    assert published == [row[0] for row in await database.run(lambda tx: tx.all("SELECT id FROM notes ORDER BY id"))]


async def test_units_of_one_caller_are_carried_out_in_the_order_of_asking(database: Database) -> None:
    await together(database, *(write(str(number)) for number in range(300)))
    assert await database.run(bodies) == [str(number) for number in range(300)]


async def test_events_are_published_before_the_caller_is_answered(database: Database) -> None:
    told: list[bool] = []
    caller = asyncio.create_task(database.run(write("a")))
    database.publish_to(lambda events: told.append(caller.done()))
    await caller
    assert told == [False]


async def test_a_batch_that_reads_publishes_nothing(database: Database) -> None:
    calls: list[list[Event]] = []
    database.publish_to(calls.append)
    await database.run(count)
    assert [event for events in calls for event in events] == []


# On disk


async def test_both_the_events_and_the_answer_come_after_the_commit(database: Database, tmp_path: Path) -> None:
    """Copies of the files, made at each of the two moments, contain the note, as after a kill -9."""
    seen: list[int] = []

    def look(moment: str) -> None:
        copy = tmp_path / moment
        copy.mkdir()
        for file in database.path.parent.glob("chat.db*"):
            shutil.copy(file, copy)
        killed = sqlite3.connect(copy / "chat.db")
        seen.append(killed.execute("SELECT count(*) FROM notes").fetchone()[0])
        killed.close()

    database.publish_to(lambda events: look("published"))
    await database.run(write("a"))
    look("answered")
    assert seen == [1, 1]


async def test_many_waiting_units_share_one_commit(database: Database) -> None:
    before = commits(database)
    answers = await together(database, *(write(str(number)) for number in range(500)))
    assert commits(database) - before == 1
    assert len(set(answers)) == 500


async def test_a_batch_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "BATCH_MAX", 10)
    before = commits(database)
    await together(database, *(write(str(number)) for number in range(25)))
    assert commits(database) - before == 3


async def test_reading_commits_nothing(database: Database) -> None:
    before = commits(database)
    await together(database, count, bodies)
    assert commits(database) == before


async def test_failing_to_publish_is_nobodys_refusal(
    database: Database, published: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    def publish(events: list[Event]) -> None:
        raise RuntimeError("a fault in an encoder")

    database.publish_to(publish)
    assert await together(database, write("a"), count) == [1, 1]
    assert "publishing events failed" in caplog.text
    database.publish_to(lambda events: published.extend(ids_of(events)))
    assert await database.run(write("b")) == 2
    assert published == [2]


# Bounds


async def test_a_full_queue_is_busy(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "QUEUE_MAX", 3)
    answers = await together(database, *(write(str(number)) for number in range(5)))
    assert answers[:3] == [1, 2, 3]
    assert [error.code for error in answers[3:]] == [ErrorCode.BUSY, ErrorCode.BUSY]
    assert all(error.details["retry_after_ms"] > 0 for error in answers[3:])
    assert await database.run(write("room again")) == 4


async def test_closing_drains_the_queue_and_then_is_busy(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "drained.db")
    before = commits(database)
    waiting = [asyncio.create_task(database.run(_next_seq)) for _ in range(50)]
    task = asyncio.create_task(database.between_batches(lambda raw: raw.execute("SELECT 1").fetchone()[0]))
    await asyncio.sleep(0)
    await database.close()
    assert [task.result() for task in waiting] == list(range(1, 51))
    assert task.result() == 1
    assert commits(database) > before
    for late in (database.run(count), database.vacuum()):
        with pytest.raises(DomainError) as caught:
            await late
        assert caught.value.code is ErrorCode.BUSY
    await database.close()  # a second call does nothing


def _next_seq(tx: Transaction) -> int:
    seq: int = tx.one("UPDATE room SET seq = seq + 1 RETURNING seq")[0]
    return seq


# A full disk


async def test_a_full_disk_refuses_writers_and_still_answers_readers(
    database: Database, published: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    await database.run(write("there"))
    published.clear()
    undone: list[str] = []

    def large(tx: Transaction) -> int:
        tx.on_rollback(lambda: undone.append("large"))
        return write("x" * 200_000)(tx)

    await page_limit(database)
    answers = await together(database, count, large, bodies, refused)
    assert answers[0] == 1 and answers[2] == ["there"]
    assert isinstance(answers[1], DomainError) and answers[1].code is ErrorCode.STORAGE_FULL
    assert isinstance(answers[3], DomainError) and answers[3].code is ErrorCode.FORBIDDEN
    assert published == []
    assert undone == ["large", "large"]  # once in the batch, once alone
    assert "full" in caplog.text


async def test_a_writer_that_still_fits_is_not_refused_for_its_neighbour(
    database: Database, published: list[int]
) -> None:
    await page_limit(database)
    answers = await together(database, write("small"), write("x" * 200_000), write("small too"))
    assert isinstance(answers[1], DomainError) and answers[1].code is ErrorCode.STORAGE_FULL
    assert await database.run(bodies) == ["small", "small too"]
    assert published == [answers[0], answers[2]]


async def test_a_commit_that_the_disk_refuses_is_answered_with_the_error_alone(database: Database) -> None:
    """The function has returned when the commit fails: no caller must get its result and take it for an `ack`."""
    await page_limit(database)
    database.before_each_commit(lambda tx: tx.execute("INSERT INTO notes (body) VALUES (?)", ("x" * 200_000,)) and None)
    answers: list[tuple[Any, BaseException | None]] = []
    answered = asyncio.Event()

    def answer(result: Any, error: BaseException | None) -> None:
        answers.append((result, error))
        answered.set()

    database.submit(write("small"), answer)
    await answered.wait()
    [(result, error)] = answers
    assert result is None
    assert isinstance(error, DomainError) and error.code is ErrorCode.STORAGE_FULL


async def test_it_goes_on_when_space_returns(database: Database) -> None:
    await page_limit(database)
    with pytest.raises(DomainError) as caught:
        await database.run(write("x" * 200_000))
    assert caught.value.code is ErrorCode.STORAGE_FULL
    await page_limit(database, 1_000_000)
    await database.run(write("x" * 200_000))
    assert await database.run(count) == 1


async def test_emptying_the_log_says_so_when_it_could_not(database: Database) -> None:
    await database.run(write("a"))
    await database.between_batches(lambda raw: raw.execute("PRAGMA busy_timeout = 0"))
    outsider = sqlite3.connect(database.path, isolation_level=None)
    outsider.execute("BEGIN")
    outsider.execute("SELECT count(*) FROM notes").fetchone()
    try:
        with pytest.raises(sqlite3.OperationalError):
            await database.vacuum()
    finally:
        outsider.close()
    await database.vacuum()
    assert database.path.with_name("chat.db-wal").stat().st_size == 0


# The function that ends each batch


def noting(calls: list[int]) -> Callable[[Transaction], None]:
    return lambda tx: calls.append(count(tx))


async def test_the_closing_unit_runs_once_and_last_in_a_batch_that_changed_something(database: Database) -> None:
    calls: list[int] = []
    database.before_each_commit(noting(calls))
    await together(database, write("a"), refused, write("b"), count)
    assert calls == [2]
    await database.run(write("c"))
    assert calls == [2, 3]


async def test_the_closing_unit_does_not_run_when_nothing_changed(database: Database) -> None:
    calls: list[int] = []
    database.before_each_commit(noting(calls))
    await together(database, count, bodies)
    assert calls == []


async def test_what_the_closing_unit_announces_comes_last_and_in_the_same_commit(database: Database) -> None:
    batches: list[list[int]] = []
    database.publish_to(lambda events: batches.append(list(ids_of(events))))

    def trim(tx: Transaction) -> None:
        for (note,) in tx.all("DELETE FROM notes WHERE id <= (SELECT max(id) - 2 FROM notes) RETURNING id"):
            tx.announce(RecallWindowClosed(-note, 0))

    database.before_each_commit(trim)
    await together(database, *(write(str(number)) for number in range(4)))
    assert batches == [[1, 2, 3, 4, -1, -2]]


async def test_a_closing_unit_that_fails_loses_its_batch_and_nothing_else(
    database: Database, published: list[int]
) -> None:
    is_broken = True

    def closing(tx: Transaction) -> None:
        if is_broken:
            raise ZeroDivisionError("ours")

    undone: list[str] = []
    database.before_each_commit(closing)
    answers = await together(database, write("a"), lambda tx: tx.on_rollback(lambda: undone.append("b")))
    assert all(isinstance(answer, ZeroDivisionError) for answer in answers)
    assert undone == ["b"] and published == []
    is_broken = False
    await database.run(write("c"))
    assert await database.run(bodies) == ["c"]


# Batch functions


class Notes:
    """A batch function that stores notes, and refuses the ones it is told to refuse. `calls` are the sizes of its
    calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.calls: list[int] = []

    async def store(self, *items: str | Exception | TransactionFunction[int]) -> list[Any]:
        """Run all in one batch; a function among the items keeps its position in the queue. Returns answers or
        errors."""
        answers = [asyncio.get_running_loop().create_future() for _ in items]
        for item, done in zip(items, answers, strict=True):
            answer = partial(_handle_text, done)
            if callable(item):
                self._database.submit(item, answer)
            else:
                self._database.submit_batched(self._unit, item, answer)
        return await asyncio.gather(*answers)

    def _unit(self, tx: Transaction, items: Sequence[str | Exception]) -> list[int | DomainError]:
        self.calls.append(len(items))
        return [self._stored(tx, item, len(items)) for item in items]

    def _stored(self, tx: Transaction, item: str | Exception, together: int) -> int | DomainError:
        if isinstance(item, RetryOneByOne) and together == 1:
            return write("by itself")(tx)
        if isinstance(item, str):
            return write(item)(tx)
        if isinstance(item, DomainError):
            return item
        raise item


def _handle_text(done: asyncio.Future[Any], result: object, error: BaseException | None) -> None:
    done.set_result(error or result)


@pytest.fixture
def notes(database: Database) -> Notes:
    return Notes(database)


async def test_neighbours_are_one_call_and_others_keep_their_place(
    database: Database, notes: Notes, published: list[int]
) -> None:
    assert await notes.store("one", "two", write("three"), "four") == [1, 2, 3, 4]
    assert notes.calls == [2, 1]
    assert await database.run(bodies) == ["one", "two", "three", "four"]
    assert published == [1, 2, 3, 4]


async def test_one_of_many_is_refused_by_itself(database: Database, notes: Notes) -> None:
    refusal = DomainError(ErrorCode.TOO_FAST)
    assert await notes.store("one", refusal, "two") == [1, refusal, 2]
    assert notes.calls == [3]


async def test_those_that_do_not_go_together_are_done_one_by_one(
    database: Database, notes: Notes, published: list[int]
) -> None:
    refusal = DomainError(ErrorCode.MUTED)
    assert await notes.store(write("first"), "one", RetryOneByOne(), refusal, "two") == [1, 2, 3, refusal, 4]
    assert notes.calls == [4, 1, 1, 1, 1]
    assert await database.run(bodies) == ["first", "one", "by itself", "two"]
    assert published == [1, 2, 3, 4]


async def test_what_does_not_go_together_is_known_before_anything_was_written(database: Database, notes: Notes) -> None:
    assert await notes.store(RetryOneByOne(), RetryOneByOne()) == [1, 2]
    assert await database.run(bodies) == ["by itself", "by itself"]


async def test_one_that_fails_harms_no_neighbour(database: Database, notes: Notes, published: list[int]) -> None:
    error = ZeroDivisionError()
    assert await notes.store(error, "one", error, "two") == [error, 1, error, 2]
    assert await database.run(bodies) == ["one", "two"]
    assert published == [1, 2]


async def test_one_that_stands_alone_is_refused_without_beginning_again(database: Database, notes: Notes) -> None:
    refusal = DomainError(ErrorCode.TOO_FAST)
    assert await notes.store(write("one"), refusal, write("two")) == [1, refusal, 2]
    assert notes.calls == [1]


async def test_those_that_wait_together_are_counted_one_by_one(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "QUEUE_MAX", 3)
    with pytest.raises(DomainError, match="busy"):
        await notes.store("one", "two", "three", "four")
