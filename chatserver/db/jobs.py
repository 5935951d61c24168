"""What waits in the database's queue: a transaction function, and the callback that gets its result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Generic, TypeVar

from chatserver.core import tuning
from chatserver.core.agent import AGENT
from chatserver.core.errors import DomainError
from chatserver.db.transaction import Transaction, TransactionFunction

T = TypeVar("T")
# Gets what a function returned, or what it raised.
Answer = Callable[[T | None, BaseException | None], None]
# A function for many items: what it returns for each, or why that one is refused. May raise RetryOneByOne.
BatchFunction = Callable[[Transaction, Sequence[Any]], Sequence[T | DomainError]]


class Job(Generic[T]):
    """One function. `frees`: it erases, and on a full disk may use the disk reserve."""

    __slots__ = ("agent", "answer", "error", "frees", "function", "result")
    result: T | None
    error: BaseException | None

    def __init__(self, function: TransactionFunction[T], answer: Answer[T], frees: bool = False) -> None:
        self.function = function
        self.answer = answer
        self.frees = frees
        self.agent = AGENT.get()
        self.reset()

    def run(self, tx: Transaction) -> None:
        tx.agent = self.agent
        self.result = self.function(tx)

    def fail(self, error: BaseException) -> None:
        """The job is answered with the error, although its function may have returned."""
        self.result, self.error = None, error

    def reset(self) -> None:
        """Before the job runs, or runs again."""
        self.result = self.error = None


class BatchedJob(Job[T]):
    """One item of a batch function."""

    __slots__ = ("batch_function", "item")

    def __init__(self, function: BatchFunction[T], item: Any, answer: Answer[T]) -> None:
        self.batch_function = function
        self.item = item
        self.answer = answer
        self.frees = False
        self.reset()

    def run(self, tx: Transaction) -> None:
        self.set_result(self.batch_function(tx, [self.item])[0])

    def set_result(self, result: T | DomainError) -> None:
        if isinstance(result, DomainError):
            self.error = result.with_traceback(None)  # which would refer back to this job
        else:
            self.result = result


class Group(Generic[T]):
    """Neighbouring items of one batch function, run in one call of it.

    A text that is stored with others costs a third less: one SELECT for all authors, one INSERT for up
    to 64 rows (docs/performance.md, row 2).
    """

    __slots__ = ("_jobs",)

    def __init__(self, jobs: list[BatchedJob[T]]) -> None:
        self._jobs = jobs

    def run(self, tx: Transaction) -> None:
        results = self._jobs[0].batch_function(tx, [job.item for job in self._jobs])
        for job, result in zip(self._jobs, results, strict=True):
            job.set_result(result)

    def fail(self, error: BaseException) -> None:
        for job in self._jobs:
            job.fail(error)


def group_neighbours(batch: Iterable[Job[Any]]) -> Iterator[Job[Any] | Group[Any]]:
    """The batch in its order, with neighbours of one batch function as a group."""
    if not tuning.IS_ON:
        yield from batch
        return
    for batch_function, jobs in groupby(batch, key=_batch_function):
        neighbours = list(jobs)
        if batch_function is None or len(neighbours) == 1:
            yield from neighbours
        else:
            yield Group(neighbours)  # type: ignore[arg-type]


def _batch_function(job: Job[Any]) -> BatchFunction[Any] | None:
    return job.batch_function if isinstance(job, BatchedJob) else None


def resolve(done: asyncio.Future[T], result: T | None, error: BaseException | None) -> None:
    """An answer for a caller that awaits `done`."""
    if done.done():
        return  # the caller was cancelled; what it asked for has happened all the same
    if isinstance(error, StopIteration):  # a future does not take one
        done.set_exception(RuntimeError(f"a transaction function raised {error!r}"))
    elif error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)  # type: ignore[arg-type]
