"""A change of the wall clock does not erase young messages, and does not keep old messages."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.model import User
from tests.stage import Stage, refuses, staged
from tests.support import FakeClock

HOUR, DAY = 3_600, 86_400


def leap(clock: FakeClock, hours: float) -> None:
    clock.set_wall(clock.now_ms() + round(hours * HOUR * 1000))


async def kept(stage: Stage) -> list[str]:
    await stage.room.expiry.expire()
    return [message.text for message in (await stage.room.history.newest(100)).messages]


async def test_a_clock_two_days_ahead_erases_nothing(stage: Stage, ming: User) -> None:
    await stage.said(ming, "before")
    leap(stage.clock, 48)
    assert await kept(stage) == ["before"]
    await stage.said(ming, "after")
    assert await kept(stage) == ["before", "after"]


async def test_what_was_said_before_a_leap_goes_when_a_day_has_truly_passed(stage: Stage, ming: User) -> None:
    await stage.said(ming, "before")
    leap(stage.clock, 48)
    stage.clock.forward(HOUR)
    await stage.said(ming, "after")
    stage.clock.forward(DAY - HOUR - 60)
    assert await kept(stage) == ["before", "after"]
    stage.clock.forward(60)
    assert await kept(stage) == ["after"]
    stage.clock.forward(HOUR - 60)
    assert await kept(stage) == ["after"]
    stage.clock.forward(120)
    assert await kept(stage) == []


async def test_a_leap_that_is_taken_back_has_never_been(stage: Stage, ming: User) -> None:
    await stage.said(ming, "before")
    leap(stage.clock, 48)
    assert await kept(stage) == ["before"]
    leap(stage.clock, -48)
    stage.clock.forward(DAY - 60)
    assert await kept(stage) == ["before"]
    stage.clock.forward(60)
    assert await kept(stage) == []


@pytest.mark.parametrize("hours", [-1, -48, 0.05])
async def test_what_a_set_clock_may_not_do_is_erase_early(stage: Stage, ming: User, hours: float) -> None:
    await stage.said(ming, "before")
    leap(stage.clock, hours)
    stage.clock.forward(DAY - 0.05 * HOUR - 60)
    assert await kept(stage) == ["before"]


async def test_the_alarm_rings_when_the_message_is_due_and_not_all_the_time(stage: Stage, ming: User) -> None:
    await stage.said(ming, "before")
    leap(stage.clock, 48)
    await kept(stage)
    due = await stage.room.expiry.next_expiry()
    assert due == stage.clock.now_ms() + DAY * 1000


async def test_numbers_rise_and_intervals_hold_when_the_clock_goes_back(stage: Stage, ming: User) -> None:
    stage.set(send_interval=2.0)
    first = await stage.said(ming, "first")
    leap(stage.clock, -1)
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming, "at once")
    stage.clock.forward(2)
    second = (await stage.say(ming, "second")).message
    assert (second.id, second.seq) == (first.id + 1, first.seq + 1)
    assert second.created_ms < first.created_ms
    assert await kept(stage) == ["first", "second"]


async def test_intervals_hold_when_the_clock_leaps(stage: Stage, ming: User) -> None:
    stage.set(send_interval=2.0)
    await stage.said(ming, "first")
    leap(stage.clock, 48)
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming, "at once")


async def test_a_clock_that_was_set_while_nobody_ran_erases_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as before:
        await before.said(await before.join("小明"), "before")
    leap(clock, 48)
    clock.forward(60)
    async with staged(tmp_path, clock) as after:
        assert await kept(after) == ["before"]
    async with staged(tmp_path, clock) as later:  # the jump is still known
        clock.forward(DAY - 120)
        assert await kept(later) == ["before"]
        clock.forward(60)
        assert await kept(later) == []


async def test_a_machine_that_was_off_for_two_days_shows_nothing_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as before:
        await before.said(await before.join("小明"), "before")
    leap(clock, 48)
    monkeypatch.setattr(clock, "boot_id", lambda: "boot 2")
    async with staged(tmp_path, clock) as after:
        assert await kept(after) == []


async def test_a_mark_that_was_not_written_is_written_with_the_next_commit(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:

        def fails(tx: object) -> None:
            stage.room.expiry.trim(tx)  # type: ignore[arg-type]
            raise sqlite3.OperationalError("disk I/O error")

        with pytest.raises(sqlite3.OperationalError):
            await stage.database.run(fails)
        await stage.room.expiry.expire()
        assert await stage.sql("SELECT boot FROM clock") == [("boot 1",)]
