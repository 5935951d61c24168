"""What waits in the database's queue: a unit of work, and whoever is to hear how it went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Generic, TypeVar

from chatserver.core.errors import DomainError
from chatserver.db.transaction import Transaction, TransactionFunction

T = TypeVar("T")
# Hears what a unit returned, or what it raised.
Answer = Callable[[T | None, BaseException | None], None]
# A unit for many at once: what it returns for each, or why that one is refused. May raise RetryOneByOne.
BatchFunction = Callable[[Transaction, Sequence[Any]], Sequence[T | DomainError]]


class Job(Generic[T]):
    """One unit. `frees`: it erases, and on a full disk is given the ballast's room."""

    __slots__ = ("answer", "error", "frees", "result", "unit")
    result: T | None
    error: BaseException | None

    def __init__(self, unit: TransactionFunction[T], answer: Answer[T], frees: bool = False) -> None:
        self.unit = unit
        self.answer = answer
        self.frees = frees
        self.forget()

    def run(self, tx: Transaction) -> None:
        self.result = self.unit(tx)

    def fail(self, error: BaseException) -> None:
        self.error = error

    def forget(self) -> None:
        """It is to be done, or done again."""
        self.result = self.error = None


class BatchedJob(Job[T]):
    """One item of a unit of many."""

    __slots__ = ("batch_function", "item")

    def __init__(self, unit: BatchFunction[T], item: Any, answer: Answer[T]) -> None:
        self.batch_function = unit
        self.item = item
        self.answer = answer
        self.frees = False
        self.forget()

    def run(self, tx: Transaction) -> None:
        Group([self]).run(tx)


class Group(Generic[T]):
    """Several items of one unit that stand side by side in the queue, done in one call of it."""

    __slots__ = ("_jobs",)

    def __init__(self, jobs: list[BatchedJob[T]]) -> None:
        self._jobs = jobs

    def run(self, tx: Transaction) -> None:
        results = self._jobs[0].batch_function(tx, [job.item for job in self._jobs])
        for job, result in zip(self._jobs, results, strict=True):
            if isinstance(result, DomainError):
                job.error = result.with_traceback(None)  # which would lead back to this group
            else:
                job.result = result

    def fail(self, error: BaseException) -> None:
        for job in self._jobs:
            job.error = error


def group_neighbours(batch: Iterable[Job[Any]]) -> Iterator[Job[Any] | Group[Any]]:
    """The batch in its order, with neighbours of one unit of many as a group."""
    for batch_function, jobs in groupby(batch, key=_batch_function):
        neighbours = list(jobs)
        if batch_function is None or len(neighbours) == 1:
            yield from neighbours
        else:
            yield Group(neighbours)  # type: ignore[arg-type]


def _batch_function(job: Job[Any]) -> BatchFunction[Any] | None:
    return job.batch_function if isinstance(job, BatchedJob) else None


def settle(done: asyncio.Future[T], result: T | None, error: BaseException | None) -> None:
    """An answer for whoever awaits `done`."""
    if done.done():
        return  # the caller went away; what it asked for has happened all the same
    if isinstance(error, StopIteration):  # a future does not take one
        done.set_exception(RuntimeError(f"a unit raised {error!r}"))
    elif error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)  # type: ignore[arg-type]
