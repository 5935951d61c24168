"""A timer sleeps until the nearest deadline, by a clock that only the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from chatserver.core import deadline_timer as alarm_module
from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import DeadlineTimer
from tests.support import START_MS, FakeClock

PATIENCE_SECONDS = 60


class Deadlines:
    """Rows with times, and an action that removes the due rows. Like every rule, it reads the time again."""

    def __init__(self, clock: Clock, *due_ms: int) -> None:
        self.clock = clock
        self.due = list(due_ms)
        self.rung: list[list[int]] = []
        self.reads = 0
        self.failures = 0
        self._changed = asyncio.Event()

    async def nearest(self) -> int | None:
        self.reads += 1
        self._changed.set()
        return min(self.due, default=None)

    async def ring(self) -> None:
        self._changed.set()
        if self.failures:
            self.failures -= 1
            raise OSError("the disk is full")
        now = self.clock.now_ms()
        self.rung.append([due for due in self.due if due <= now])
        self.due = [due for due in self.due if due > now]

    async def until_read(self, times: int) -> None:
        """Wait until `nearest` was called this number of times more."""
        wanted = self.reads + times
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.reads < wanted:
                self._changed.clear()
                await self._changed.wait()

    async def until_rung(self, times: int) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.rung) < times:
                self._changed.clear()
                await self._changed.wait()
                await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_module, "MIN_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(alarm_module, "RETRY_SECONDS", 0.001)


@pytest.fixture
def long_naps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only an event wakes the timer: a test that passes did not wait for the end of a sleep."""
    monkeypatch.setattr(alarm_module, "SLEEP_MAX_SECONDS", 10.0 * PATIENCE_SECONDS)
    yield


@pytest.fixture
def short_naps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(alarm_module, "SLEEP_MAX_SECONDS", 0.002)
    yield


@asynccontextmanager
async def running(deadlines: Deadlines) -> AsyncIterator[DeadlineTimer]:
    alarm = DeadlineTimer("test", deadlines.clock, deadlines.nearest, deadlines.ring)
    task = asyncio.create_task(alarm.run())
    try:
        yield alarm
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.mark.usefixtures("long_naps")
async def test_what_fell_due_while_the_server_was_down_is_settled_at_once() -> None:
    deadlines = Deadlines(FakeClock(), START_MS - 5000, START_MS - 1, START_MS, START_MS + 3_600_000)
    async with running(deadlines):
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS - 5000, START_MS - 1, START_MS]]
    assert deadlines.due == [START_MS + 3_600_000]


@pytest.mark.usefixtures("long_naps")
async def test_a_nearer_deadline_wakes_the_alarm() -> None:
    clock = FakeClock()
    deadlines = Deadlines(clock, START_MS + 3_600_000)
    async with running(deadlines) as alarm:
        await deadlines.until_read(1)
        await asyncio.sleep(0)
        deadlines.due.append(START_MS + 1000)
        clock.forward(1)
        alarm.wake_by(START_MS + 1000)
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS + 1000]]


@pytest.mark.usefixtures("long_naps")
async def test_the_first_deadline_of_an_empty_room_wakes_the_alarm() -> None:
    deadlines = Deadlines(FakeClock())
    async with running(deadlines) as alarm:
        await deadlines.until_read(1)
        await asyncio.sleep(0)
        deadlines.due.append(START_MS)
        alarm.wake_by(START_MS)
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS]]


@pytest.mark.usefixtures("long_naps")
async def test_a_deadline_set_while_the_nearest_is_being_read_is_not_missed() -> None:
    clock = FakeClock()

    class Slow(Deadlines):
        async def nearest(self) -> int | None:
            found = await super().nearest()  # this value was read before the other deadline was set …
            if self.reads == 1:
                self.due.append(START_MS)
                alarm.wake_by(START_MS)  # … and the other deadline is announced before the read returns
                await asyncio.sleep(0)
            return found

    deadlines = Slow(clock, START_MS + 3_600_000)
    async with running(deadlines) as alarm:
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS]]


@pytest.mark.usefixtures("long_naps")
async def test_a_later_deadline_does_not_wake_the_alarm() -> None:
    deadlines = Deadlines(FakeClock(), START_MS + 1_000_000)
    async with running(deadlines) as alarm:
        await deadlines.until_read(1)
        for _ in range(5):
            await asyncio.sleep(0)
        alarm.wake_by(START_MS + 2_000_000)
        for _ in range(5):
            await asyncio.sleep(0)
    assert (deadlines.reads, deadlines.rung) == (1, [])


@pytest.mark.usefixtures("short_naps")
async def test_a_wall_clock_that_was_set_is_noticed() -> None:
    clock = FakeClock()
    deadlines = Deadlines(clock, START_MS + 3_600_000)
    async with running(deadlines):
        await deadlines.until_read(2)
        assert deadlines.rung == []
        clock.set_wall(START_MS + 3_600_000)
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS + 3_600_000]]


@pytest.mark.usefixtures("short_naps")
async def test_a_deadline_that_nobody_announced_is_found() -> None:
    deadlines = Deadlines(FakeClock())
    async with running(deadlines):
        await deadlines.until_read(1)
        deadlines.due.append(START_MS)
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS]]


@pytest.mark.usefixtures("short_naps")
async def test_nothing_rings_before_its_time() -> None:
    deadlines = Deadlines(FakeClock(), START_MS + 1)
    async with running(deadlines):
        await deadlines.until_read(5)
    assert deadlines.rung == []


@pytest.mark.usefixtures("long_naps")
async def test_an_alarm_that_failed_tries_again(caplog: pytest.LogCaptureFixture) -> None:
    deadlines = Deadlines(FakeClock(), START_MS)
    deadlines.failures = 3
    async with running(deadlines):
        await deadlines.until_rung(1)
    assert deadlines.rung == [[START_MS]]
    assert caplog.text.count("test timer failed") == 3
    assert "the disk is full" in caplog.text


async def test_the_pause_after_failures_grows_up_to_a_nap(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(alarm_module, "RETRY_SECONDS", 0.5)
    monkeypatch.setattr(alarm_module, "SLEEP_MAX_SECONDS", 3.0)
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def record(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(alarm_module.asyncio, "sleep", record)
    deadlines = Deadlines(FakeClock(), START_MS)
    deadlines.failures = 5
    async with running(deadlines):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not deadlines.rung:
                await sleep(0)
    assert pauses[:5] == [0.5, 1.0, 2.0, 3.0, 3.0]
