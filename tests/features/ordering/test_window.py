"""Ordering windows: opened, moved, shown and closed, by administrators and by the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.model import Kind, Preset, Role, User
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.post import MessagePosted
from chatserver.features.ordering.window import WindowChanged
from tests.stage import Stage, refuses, staged
from tests.support import FakeClock

# Two events of one message are equal, even if different encoders encode them.
ENCODER = MessageEncoder(ZoneInfo("UTC"))


def said_presets(stage: Stage) -> list[tuple[Preset | None, str]]:
    """The presets posted since the last call, with the names of their authors."""
    return [(event.message.preset, event.message.author.name) for event in stage.told(MessagePosted)]


async def test_starting_opens_a_window_and_posts_the_preset(stage: Stage, wang: User) -> None:
    ordered = await stage.room.windows.start(wang, 60)
    now = stage.clock.now_ms()
    assert (ordered.window.opened_ms, ordered.window.closes_ms) == (now, now + 60_000)
    assert (ordered.window.is_open, ordered.window.by) == (True, "老王")
    message = ordered.message
    assert (message.kind, message.preset, message.text) == (Kind.PRESET, Preset.START, "开始下单")
    assert message.closes_ms == now + 60_000
    assert stage.events == [WindowChanged(ordered.window, stage.clock), MessagePosted(message, ENCODER)]
    assert await stage.room.windows.next_closing() == now + 60_000


async def test_without_a_length_it_is_the_settings(stage: Stage, wang: User) -> None:
    ordered = await stage.room.windows.start(wang)
    assert ordered.window.closes_ms == stage.clock.now_ms() + 100_000


async def test_starting_again_moves_the_end_of_the_same_window(stage: Stage, wang: User) -> None:
    other = await stage.join("阿丽", Role.ADMINISTRATOR)
    first = await stage.room.windows.start(wang, 60)
    stage.clock.forward(50)
    for seconds in (60, 5):  # a later end, and an earlier end
        again = await stage.room.windows.start(other, seconds)
        assert again.window.id == first.window.id
        assert again.window.opened_ms == first.window.opened_ms
        assert again.window.closes_ms == stage.clock.now_ms() + seconds * 1000
        assert await stage.room.windows.next_closing() == again.window.closes_ms
    assert said_presets(stage) == [(Preset.START, "老王"), (Preset.START, "阿丽"), (Preset.START, "阿丽")]


@pytest.mark.parametrize("seconds", [-1, 0, 86_401])
async def test_a_window_of_another_length_is_refused(stage: Stage, wang: User, seconds: int) -> None:
    with refuses(ErrorCode.BAD_REQUEST):
        await stage.room.windows.start(wang, seconds)
    assert await stage.room.windows.next_closing() is None


@pytest.mark.parametrize("seconds", [1, 86_400])
async def test_the_shortest_and_the_longest_window(stage: Stage, wang: User, seconds: int) -> None:
    window = (await stage.room.windows.start(wang, seconds)).window
    assert window.closes_ms - window.opened_ms == seconds * 1000


async def test_stopping_closes_the_window_now(stage: Stage, wang: User) -> None:
    other = await stage.join("阿丽", Role.ADMINISTRATOR)
    started = await stage.room.windows.start(wang, 60)
    stage.clock.forward(10)
    stage.told()
    stopped = await stage.room.windows.stop(other)
    assert stopped.window.id == started.window.id
    assert (stopped.window.is_open, stopped.window.closes_ms) == (False, stage.clock.now_ms())
    assert (stopped.message.preset, stopped.message.text) == (Preset.STOP, "停止下单")
    assert stage.events == [WindowChanged(stopped.window, stage.clock), MessagePosted(stopped.message, ENCODER)]
    assert stopped.message.author == other
    assert await stage.room.windows.next_closing() is None


async def test_stopping_what_is_not_open_is_refused(stage: Stage, wang: User) -> None:
    with refuses(ErrorCode.WINDOW_CLOSED):
        await stage.room.windows.stop(wang)
    await stage.room.windows.start(wang)
    await stage.room.windows.stop(wang)
    stage.told()
    with refuses(ErrorCode.WINDOW_CLOSED):
        await stage.room.windows.stop(wang)
    assert stage.events == []


async def test_two_who_stop_at_once_close_it_once(stage: Stage, wang: User) -> None:
    await stage.room.windows.start(wang)
    stage.told()
    answers = await asyncio.gather(*(stage.room.windows.stop(wang) for _ in range(2)), return_exceptions=True)
    assert sum(isinstance(answer, Exception) for answer in answers) == 1
    assert said_presets(stage) == [(Preset.STOP, "老王")]


async def test_two_who_start_at_once_open_one_window(stage: Stage, wang: User) -> None:
    one, two = await asyncio.gather(*(stage.room.windows.start(wang, 60) for _ in range(2)))
    assert one.window == two.window
    assert await stage.sql("SELECT count(*) FROM windows") == [(1,)]


async def test_the_countdown_shows_the_open_window_and_leaves_it(stage: Stage, wang: User) -> None:
    started = await stage.room.windows.start(wang, 60)
    stage.clock.forward(10)
    stage.told()
    shown = await stage.room.windows.countdown(wang)
    assert shown.window == started.window
    assert (shown.message.preset, shown.message.closes_ms) == (Preset.COUNTDOWN, started.window.closes_ms)
    assert stage.events == [MessagePosted(shown.message, ENCODER)]


async def test_the_countdown_is_refused_where_no_window_is_open(stage: Stage, wang: User) -> None:
    with refuses(ErrorCode.WINDOW_CLOSED):
        await stage.room.windows.countdown(wang)
    await stage.room.windows.start(wang, 60)
    stage.clock.forward(60)  # its end has passed, though no timer has run
    with refuses(ErrorCode.WINDOW_CLOSED):
        await stage.room.windows.countdown(wang)


# Closed by the server


async def test_the_window_does_not_close_early(stage: Stage, wang: User) -> None:
    await stage.room.windows.start(wang, 60)
    stage.told()
    stage.clock.forward(59.999)
    await stage.room.windows.close_due()
    assert stage.events == []
    assert await stage.room.windows.next_closing() is not None


async def test_at_its_deadline_it_closes_in_the_name_of_whoever_opened_it(stage: Stage, wang: User) -> None:
    other = await stage.join("阿丽", Role.ADMINISTRATOR)
    await stage.room.windows.start(wang, 60)
    await stage.room.windows.start(other, 60)
    stage.told()
    stage.clock.forward(60)
    await stage.room.windows.close_due()
    window = stage.events[0]
    assert isinstance(window, WindowChanged)
    assert (window.window.is_open, window.window.by) == (False, "老王")
    assert said_presets(stage) == [(Preset.STOP, "老王")]
    await stage.room.windows.close_due()
    assert stage.events == []


async def test_a_window_that_fell_due_while_the_server_was_down_closes_at_the_start(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        opened = (await stage.room.windows.start(wang, 60)).window
    clock.forward(3600)
    async with staged(tmp_path, clock) as stage:
        assert await stage.room.windows.next_closing() == opened.closes_ms
        await stage.room.windows.close_due()
        closed, said = stage.events
        assert isinstance(closed, WindowChanged) and isinstance(said, MessagePosted)
        assert (closed.window.is_open, closed.window.closes_ms) == (False, opened.closes_ms)
        assert said.message.created_ms == clock.now_ms()


async def test_an_open_window_is_known_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        assert stage.room.windows.hello_fields()["window"] is None
        opened = (await stage.room.windows.start(wang, 60)).window
    clock.forward(10)
    async with staged(tmp_path, clock) as stage:
        assert stage.room.windows.hello_fields()["window"] is None
        await stage.room.windows.load()
        shown = stage.room.windows.hello_fields()["window"]
        assert (shown["id"], shown["state"], shown["by"]) == (opened.id, "open", "老王")
        assert (shown["closes_ms"], shown["now_ms"]) == (opened.closes_ms, clock.now_ms())
        await stage.room.windows.stop(wang)
        assert stage.room.windows.hello_fields()["window"] is None


async def test_a_late_timer_leaves_no_window_open(stage: Stage, wang: User) -> None:
    """Its end has passed, but `close_due` has not run: the window counts as closed."""
    first = await stage.room.windows.start(wang, 60)
    stage.clock.forward(61)
    with refuses(ErrorCode.WINDOW_CLOSED):
        await stage.room.windows.stop(wang)
    stage.told()
    second = await stage.room.windows.start(wang)
    assert second.window.id != first.window.id
    assert second.window.closes_ms == stage.clock.now_ms() + 100_000
    assert said_presets(stage) == [(Preset.STOP, "老王"), (Preset.START, "老王")]


async def test_starting_after_the_deadline_opens_another_window(stage: Stage, wang: User) -> None:
    first = await stage.room.windows.start(wang, 60)
    stage.clock.forward(60)
    stage.told()
    second = await stage.room.windows.start(wang, 60)
    assert second.window.id != first.window.id
    assert said_presets(stage) == [(Preset.STOP, "老王"), (Preset.START, "老王")]


# Permissions


@pytest.mark.parametrize("command", ["start", "stop", "countdown"])
async def test_members_may_not(stage: Stage, wang: User, ming: User, command: str) -> None:
    for is_open in (False, True):
        if is_open:
            await stage.room.windows.start(wang)
        stage.told()
        for impostor in (ming, User(ming.id, "老王", Role.ADMINISTRATOR)):
            with refuses(ErrorCode.FORBIDDEN):
                await getattr(stage.room.windows, command)(impostor)
        assert stage.events == []


async def test_a_preset_can_be_taken_back_like_any_message(stage: Stage, wang: User) -> None:
    ordered = await stage.room.windows.start(wang)
    recalled = await stage.room.recall.recall(wang, ordered.message.id)
    assert recalled.text == ""
    assert await stage.room.windows.next_closing() == ordered.window.closes_ms
