"""Content that was erased from the database leaves the disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import pytest

from chatserver.core.events import ContentErased, Event
from chatserver.core.model import User
from chatserver.db import eraser as eraser_module
from chatserver.db import vacuum_schedule
from chatserver.db.eraser import Eraser
from chatserver.features.accounts.events import SessionsEnded
from chatserver.realtime.hub import Hub
from chatserver.realtime.publisher import Publisher
from tests.stage import Stage
from tests.support import FakeClock, eventually


class Disk:
    """Records its calls, and fails as many times as it is told to."""

    def __init__(self) -> None:
        self.asked: list[set[str] | str] = []
        self.file_failures = 0
        self.log_failures = 0

    async def erase(self, names: Iterable[str]) -> None:
        self.asked.append(set(names))
        if self.file_failures:
            self.file_failures -= 1
            raise OSError("input/output error")

    async def empty(self) -> None:
        self.asked.append("log")
        if self.log_failures:
            self.log_failures -= 1
            raise OSError("input/output error")

    @property
    def logs(self) -> int:
        return self.asked.count("log")


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum_schedule, "DELAY_SECONDS", 0.002)
    monkeypatch.setattr(eraser_module, "RETRY_SECONDS", 0.002)


@asynccontextmanager
async def running(disk: Disk) -> AsyncIterator[Eraser]:
    eraser = Eraser(disk.erase, disk.empty)
    async with eraser.running():
        await eventually(lambda: disk.logs == 1)
        disk.asked.clear()
        yield eraser


async def test_the_log_is_emptied_at_the_start_for_what_a_crash_left(disk: Disk) -> None:
    async with Eraser(disk.erase, disk.empty).running():
        await eventually(lambda: disk.asked == ["log"])


async def test_files_go_at_once_and_the_log_soon_after(disk: Disk) -> None:
    async with running(disk) as eraser:
        eraser.on_erased(ContentErased(("images/a.webp", "images/a.thumb.webp")))
        await eventually(lambda: disk.logs == 1)
        assert disk.asked == [{"images/a.webp", "images/a.thumb.webp"}, "log"]


async def test_a_text_has_no_files_but_is_in_the_log(disk: Disk) -> None:
    async with running(disk) as eraser:
        eraser.on_erased(ContentErased())
        await eventually(lambda: disk.asked == ["log"])


async def test_one_emptying_serves_all_that_is_erased_meanwhile(disk: Disk) -> None:
    async with running(disk) as eraser:
        for number in range(50):
            eraser.on_erased(ContentErased((f"images/{number}.webp",)))
        await eventually(lambda: disk.logs == 1)
        assert disk.asked == [{f"images/{number}.webp" for number in range(50)}, "log"]


async def test_other_events_are_not_its_business(disk: Disk) -> None:
    async with running(disk) as eraser:
        publish = Publisher(Hub(FakeClock()))
        publish.subscribe(ContentErased, eraser.on_erased)
        publish([SessionsEnded((1,))])
        await asyncio.sleep(0.01)
        assert disk.asked == []
        publish([ContentErased()])
        await eventually(lambda: disk.logs == 1)


async def test_after_a_failure_it_tries_again_until_all_is_gone(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    async with running(disk) as eraser:
        disk.file_failures, disk.log_failures = 2, 2
        eraser.on_erased(ContentErased(("images/a.webp",)))
        await eventually(lambda: disk.logs == 3)
    assert [asked for asked in disk.asked if asked != "log"] == [{"images/a.webp"}] * 3
    assert caplog.text.count("erasing failed") == 4


async def test_what_comes_while_files_are_being_erased_is_not_forgotten(disk: Disk) -> None:
    eraser: Eraser

    async def erase(names: Iterable[str]) -> None:
        await disk.erase(names)
        if len(disk.asked) == 1:
            eraser.on_erased(ContentErased(("images/late.webp",)))

    eraser = Eraser(erase, disk.empty)
    eraser.on_erased(ContentErased(("images/a.webp",)))
    async with eraser.running():
        await eventually(lambda: {"images/late.webp"} in disk.asked)
    assert disk.asked[:2] == [{"images/a.webp"}, {"images/late.webp"}]


async def test_it_ends_with_nothing_left_to_do(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(disk) as eraser:
        monkeypatch.setattr(vacuum_schedule, "DELAY_SECONDS", 60.0)
        eraser.on_erased(ContentErased(("images/a.webp",)))
    assert disk.asked == [{"images/a.webp"}, "log"]


async def test_a_failure_at_the_end_is_no_failure_to_end(disk: Disk, caplog: pytest.LogCaptureFixture) -> None:
    async with running(disk):
        disk.log_failures = 1
    assert disk.asked == ["log"]
    assert "retrying at the next start" in caplog.text


class SlowDisk(Disk):
    """A slow write. Records when each write began and ended, in seconds of the loop's clock."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.spans: list[tuple[float, float]] = []

    async def empty(self) -> None:
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(self.seconds)
        self.spans.append((begun, asyncio.get_running_loop().time()))
        await super().empty()


async def test_what_expires_is_written_out_in_proportion_to_what_that_costs() -> None:
    disk = SlowDisk(0.02)
    async with running(disk) as eraser:
        eraser.on_erased(ContentErased())
        await eventually(lambda: disk.logs == 1)
    (_, ended), (begun, _) = disk.spans[:2]
    assert begun - ended >= 0.9 * vacuum_schedule.EXPIRED_FACTOR * disk.seconds  # the clock's resolution is limited


async def test_what_is_taken_back_does_not_wait_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum_schedule, "EXPIRED_FACTOR", 1_000_000)
    disk = SlowDisk(0.002)
    async with running(disk) as eraser:
        eraser.on_erased(ContentErased(("images/old.webp",)))
        await eventually(lambda: {"images/old.webp"} in disk.asked)  # files are erased at once
        await asyncio.sleep(0.05)
        assert disk.logs == 0
        eraser.on_erased(ContentErased(is_urgent=True))
        await eventually(lambda: disk.logs == 1)


def test_the_longest_wait_leaves_time_to_keep_the_promise_of_ten_seconds() -> None:
    assert vacuum_schedule.URGENT_SECONDS_MAX <= 6


async def recalled(stage: Stage, actor: User, message_id: int) -> None:
    await stage.room.recall.recall(actor, message_id)


async def edited(stage: Stage, actor: User, message_id: int) -> None:
    await stage.room.edit.edit(actor, message_id, "不是秘密")


@pytest.mark.parametrize("end", [recalled, edited])
async def test_a_text_that_was_recalled_or_replaced_is_in_no_file_soon_after(
    stage: Stage, end: Callable[[Stage, User, int], Awaitable[None]]
) -> None:
    ming = await stage.join("小明")
    eraser = Eraser(Disk().erase, stage.database.vacuum)

    def publish(events: list[Event]) -> None:
        for event in events:
            if isinstance(event, ContentErased):
                eraser.on_erased(event)

    def is_stored() -> bool:
        return "这是秘密".encode() in stage.files()

    stage.database.publish_to(publish)
    async with eraser.running():
        message = await stage.said(ming, "这是秘密")
        assert is_stored()
        await end(stage, ming, message.id)
        await eventually(lambda: not is_stored())
