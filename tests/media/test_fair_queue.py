"""The fair queue: one job of each owner at a time, owners in turn, limits, and cancelled jobs."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.core.errors import DomainError
from chatserver.media.fair_queue import FairQueue


class Jobs:
    """Jobs of a queue that a test starts and ends. `at_work` names the jobs that hold a slot, in their order."""

    def __init__(self, queue: FairQueue) -> None:
        self.queue = queue
        self.at_work: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    async def start(self, *names: str) -> list[asyncio.Task[None]]:
        """Start a job for each name: "owner" or "owner 2"."""
        tasks = [asyncio.create_task(self._job(name)) for name in names]
        await _settled()
        return tasks

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await _settled()

    async def _job(self, name: str) -> None:
        self._ends[name] = asyncio.Event()
        async with self.queue.turn(name.split()[0]):
            self.at_work.append(name)
            try:
                await self._ends[name].wait()
            finally:
                self.at_work.remove(name)


async def _settled() -> None:
    """Wait until the loop has nothing more to do."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_job_of_each_owner_is_at_work() -> None:
    jobs = Jobs(FairQueue(2, 100, 100))
    await jobs.start("ming", "ming 2", "ming 3")
    assert jobs.at_work == ["ming"]
    await jobs.start("li")
    assert jobs.at_work == ["ming", "li"]


async def test_owners_take_turns_whatever_they_have_waiting() -> None:
    jobs = Jobs(FairQueue(1, 100, 100))
    await jobs.start(*(f"ming {n}" for n in range(40)), "li 1", "li 2", "hua 1")
    served = []
    for _ in range(6):
        [name] = jobs.at_work
        served.append(name)
        await jobs.end(name)
    assert served == ["ming 0", "ming 1", "li 1", "hua 1", "ming 2", "li 2"]


async def test_a_full_queue_is_busy_for_all_and_a_full_line_for_its_owner_alone() -> None:
    jobs = Jobs(FairQueue(1, 3, 2))
    await jobs.start("ming", "ming 2", "ming 3")
    [refused] = await jobs.start("ming 4")
    with pytest.raises(DomainError, match="busy"):
        await refused
    [waits] = await jobs.start("li")
    assert not waits.done()
    [refused] = await jobs.start("hua")
    with pytest.raises(DomainError, match="busy"):
        await refused


async def test_cancelled_jobs_give_back_their_places_and_turns() -> None:
    jobs = Jobs(FairQueue(1, 2, 2))
    [_first, second, third] = await jobs.start("ming", "li", "hua")
    second.cancel()
    await _settled()
    await jobs.start("yu")
    await jobs.end("ming")
    assert jobs.at_work == ["hua"]
    # The job is cancelled in the same pass of the loop in which its turn comes.
    jobs._ends["hua"].set()
    await asyncio.wait([third])
    [last] = await jobs.start("xin")
    assert jobs.at_work == ["yu"]
    await jobs.end("yu")
    assert jobs.at_work == ["xin"]
    last.cancel()
    await _settled()
    await jobs.start("ming 2")
    assert jobs.at_work == ["ming 2"]


async def test_a_turn_that_comes_as_its_job_is_cancelled_goes_to_the_next() -> None:
    queue = FairQueue(1, 10, 10)
    jobs = Jobs(queue)
    await jobs.start("ming")
    [li, _hua] = await jobs.start("li", "hua")
    queue._release("ming")  # the same as the end of ming's job, but without a pass of the loop before the cancellation
    li.cancel()
    await _settled()
    assert jobs.at_work == ["ming", "hua"]


async def test_closing_refuses_those_that_wait_and_waits_for_those_at_work() -> None:
    jobs = Jobs(FairQueue(1, 10, 10))
    [_, waits] = await jobs.start("ming", "li")
    closing = asyncio.create_task(jobs.queue.close())
    await _settled()
    with pytest.raises(DomainError, match="busy"):
        await waits
    assert not closing.done()
    await jobs.end("ming")
    await closing
    [late] = await jobs.start("hua")
    with pytest.raises(DomainError, match="busy"):
        await late
