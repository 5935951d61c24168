"""The room's own timers, with a real room and a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chatserver import binding
from chatserver.core import deadline_timer as alarm_module
from chatserver.core.deadline_timer import running_timers
from chatserver.core.model import Preset, Role
from chatserver.db.transaction import Transaction
from chatserver.features.accounts.events import SessionsEnded
from chatserver.features.messages.expiry import MessagesExpired
from chatserver.features.messages.post import Draft, MessagePosted
from chatserver.features.messages.recall import RecallWindowClosed
from chatserver.features.ordering.window import WindowChanged
from chatserver.features.planning.planned import PlannedChanged
from tests.stage import Stage, staged
from tests.support import FakeClock, eventually


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_module, "MIN_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(alarm_module, "SLEEP_MAX_SECONDS", 0.005)


@asynccontextmanager
async def with_alarms(stage: Stage) -> AsyncIterator[None]:
    async with running_timers(binding.timers(stage.room.features(), stage.publisher, stage.clock)):
        yield


async def until(stage: Stage, kind: type[Any], is_it: Callable[[Any], bool] = lambda event: True) -> Any:
    """The first such event, as soon as it is announced."""
    found = await eventually(lambda: [event for event in stage.events if isinstance(event, kind) and is_it(event)])
    return found[0]


async def test_everything_that_fell_due_while_the_server_was_down_is_settled_at_the_start(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await stage.room.sessions.start(wang.id, "", "")
        await stage.room.post.post(wang, Draft("old"))
        clock.forward(90 * 86_400)
        await stage.room.windows.start(wang, 60)
    clock.forward(61)
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        closed = await until(stage, WindowChanged)
        said = await until(stage, MessagePosted)
        ended = await until(stage, SessionsEnded)
    assert not closed.window.is_open
    assert said.message.preset is Preset.STOP
    assert ended.session_ids == (1,)


async def test_a_window_closes_by_itself_once_and_on_time(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        opened = (await stage.room.windows.start(wang, 60)).window
        clock.forward(59.999)
        await asyncio.sleep(0.02)
        assert await stage.room.windows.next_closing() == opened.closes_ms
        clock.forward(0.001)
        await until(stage, WindowChanged, lambda event: not event.window.is_open)
        await asyncio.sleep(0.02)
        stops = [e for e in stage.events if isinstance(e, MessagePosted) and e.message.preset is Preset.STOP]
    assert len(stops) == 1


async def test_a_planned_window_opens_and_closes_by_itself_once_and_on_time(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        plan = await stage.room.planned.make(wang, {"repeat": "daily", "at": "18:00", "title": "晚市", "seconds": 60})
        clock.set_wall(plan["opens_ms"] - 1)
        await asyncio.sleep(0.02)
        assert await stage.sql("SELECT count(*) FROM windows") == [(0,)]
        clock.forward(0.001)
        opened = await until(stage, WindowChanged)
        assert (opened.window.opened_ms, opened.window.by, opened.window.is_planned) == (clock.now_ms(), "老王", True)
        clock.forward(60)
        await until(stage, WindowChanged, lambda event: not event.window.is_open)
        clock.forward(86_400 - 60)
        await until(stage, WindowChanged, lambda event: event.window.id == 2)
        assert await stage.sql("SELECT count(*) FROM windows") == [(2,)]


async def test_a_plan_opens_as_soon_as_the_window_before_it_is_stopped(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        plan = await stage.room.planned.make(wang, {"repeat": "daily", "at": "18:00", "title": "晚市", "seconds": 600})
        clock.set_wall(plan["opens_ms"] - 60_000)
        await stage.room.windows.start(wang, 3600)
        clock.forward(61)
        await asyncio.sleep(0.02)
        assert await stage.sql("SELECT count(*) FROM windows") == [(1,)]
        await stage.room.windows.stop(wang)
        opened = await until(stage, WindowChanged, lambda event: event.window.id == 2)
        assert (opened.window.title, opened.window.is_planned) == ("晚市", True)


async def test_the_next_planned_window_follows_a_ban_that_no_event_tells_of(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await stage.room.planned.make(wang, {"repeat": "daily", "at": "18:00"})
        await until(stage, PlannedChanged)
        await stage.sql("UPDATE users SET banned = 1")
        await until(stage, PlannedChanged, lambda event: event.next is None)
    assert stage.room.planned.hello_fields() == {"planned": None}


async def test_recall_windows_close_and_messages_expire_by_themselves(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        ming = await stage.join("小明")
        message = await stage.said(ming)
        clock.forward(30)
        settled = await until(stage, RecallWindowClosed)
        assert (settled.id, settled.user_id) == (message.id, ming.id)
        clock.forward(24 * 3600)
        expired = await until(stage, MessagesExpired)
        assert expired.ids == (message.id,)


async def test_a_login_begun_while_the_server_runs_ends_by_itself(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage, with_alarms(stage):
        ming = await stage.join("小明")
        await asyncio.sleep(0.02)  # the timer has looked, and found no session
        await stage.room.sessions.start(ming.id, "", "")
        clock.forward(90 * 86_400)
        ended = await until(stage, SessionsEnded)
    assert ended.session_ids == (1,)


async def test_a_full_disk_delays_an_alarm_and_stops_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_module, "RETRY_SECONDS", 0.001)
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await stage.room.windows.start(wang, 60)
        refused = asyncio.Event()
        close_ended = stage.room.windows.close_ended

        def failing(tx: Transaction, asked_ms: int) -> None:
            if not refused.is_set():
                refused.set()
                raise OSError("the disk is full")
            close_ended(tx, asked_ms)

        monkeypatch.setattr(stage.room.windows, "close_ended", failing)
        async with with_alarms(stage):
            clock.forward(60)
            await until(stage, WindowChanged, lambda event: not event.window.is_open)
    assert refused.is_set()
