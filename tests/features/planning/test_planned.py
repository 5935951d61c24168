"""Planned windows: made, opened by the server, missed, in each other's way, and plans that may not open any more."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.model import Preset, Role, User
from chatserver.features.accounts.moderate import Act
from chatserver.features.messages.post import MessagePosted
from chatserver.features.ordering import journal, offer
from chatserver.features.ordering.events import WindowChanged
from chatserver.features.planning import plan_store
from chatserver.features.planning.planned import LATE_MS, NextWindow, PlannedChanged
from tests.stage import Stage, refuses, staged
from tests.support import START_MS, FakeClock

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# START_MS is a Sunday, 14:36 in Shanghai: 18:00 is 3 h 24 min later.
AT_18 = START_MS + 204 * MINUTE
DAILY = {"repeat": "daily", "at": "18:00", "title": "晚市", "seconds": 60}
ONCE = {"repeat": "once", "date": "2026-11-22", "at": "18:00", "title": "今晚", "seconds": 60}


async def make(stage: Stage, actor: User, **fields: Any) -> dict[str, Any]:
    return await stage.room.planned.make(actor, {**DAILY, **fields})


async def settle_at(stage: Stage, now_ms: int) -> None:
    stage.clock.set_wall(now_ms)
    await stage.room.planned.settle()


async def only(stage: Stage) -> dict[str, Any]:
    [plan] = await stage.room.planned.listed()
    return plan


def window(stage: Stage) -> dict[str, Any] | None:
    found: dict[str, Any] | None = stage.room.windows.hello_fields()["window"]
    return found


def outcome(plan: dict[str, Any]) -> tuple[int, str]:
    return plan["last"]["opens_ms"], plan["last"]["outcome"]


# Made, moved, removed


async def test_a_plan_is_shown_to_all_before_it_opens(stage: Stage, wang: User) -> None:
    plan = await make(stage, wang, items=[{"name": "蓝莓", "price": "25"}], note="带袋子")
    assert plan == {
        "id": 1, "title": "晚市", "note": "带袋子",
        "items": [{"name": "蓝莓", "unit": "", "price": "25.00", "stock": None, "limit": None}],
        "template": None, "seconds": 60, "repeat": "daily", "at": "18:00", "date": None, "weekdays": [],
        "opens_ms": AT_18, "by": "老王", "by_id": wang.id, "blocked": None, "waiting": False, "last": None,
    }  # fmt: skip
    shown = NextWindow("晚市", AT_18, "老王", "Asia/Shanghai")
    assert stage.told(PlannedChanged) == [PlannedChanged(shown)]
    assert stage.room.planned.hello_fields() == {
        "planned": {"title": "晚市", "opens_ms": AT_18, "by": "老王", "zone": "Asia/Shanghai"}
    }
    assert await stage.room.planned.next_opening() == AT_18


async def test_the_nearest_of_all_is_the_next(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    await make(stage, wang, title="早", at="17:00")
    await make(stage, wang, title="迟", at="19:00")
    assert [event.next.title for event in stage.told(PlannedChanged)] == ["晚市", "早"]
    assert [plan["title"] for plan in await stage.room.planned.listed()] == ["早", "晚市", "迟"]
    await stage.room.planned.remove(wang, 2)
    assert stage.told(PlannedChanged)[0].next.title == "晚市"
    await stage.room.planned.change(wang, 1, {"repeat": "weekly", "weekdays": [5], "at": "20:00"})
    assert stage.told(PlannedChanged)[0].next.title == "迟"
    await stage.room.planned.change(wang, 3, {"title": "更迟"})
    assert stage.told(PlannedChanged)[0].next.title == "更迟"
    for plan_id in (1, 3):
        await stage.room.planned.remove(wang, plan_id)
    assert stage.told(PlannedChanged)[-1] == PlannedChanged(None)
    assert stage.room.planned.hello_fields() == {"planned": None}
    assert await stage.room.planned.next_opening() is None


async def test_what_a_change_does_not_name_stays(stage: Stage, wang: User) -> None:
    made = await make(stage, wang, items=[{"name": "蓝莓"}])
    moved = await stage.room.planned.change(wang, 1, {"at": "19:30"})
    assert moved == {**made, "at": "19:30", "opens_ms": AT_18 + 90 * MINUTE}
    renamed = await stage.room.planned.change(wang, 1, {"title": "夜市"})
    assert renamed == {**moved, "title": "夜市"}
    weekly = await stage.room.planned.change(wang, 1, {"repeat": "weekly", "weekdays": [7, 1]})
    assert (weekly["weekdays"], weekly["opens_ms"]) == ([1, 7], moved["opens_ms"])


async def test_whoever_changes_a_plan_plans_it_from_then_on(stage: Stage, wang: User) -> None:
    other = await stage.join("阿丽", Role.ADMINISTRATOR)
    await make(stage, wang)
    assert (await stage.room.planned.change(other, 1, {"title": "晚市"}))["by"] == "阿丽"
    assert stage.told(PlannedChanged)[-1].next.by == "阿丽"


async def test_the_next_time_alone_is_left_out(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    skipped = await stage.room.planned.skip(wang, 1, AT_18)
    assert (skipped["opens_ms"], outcome(skipped)) == (AT_18 + DAY, (AT_18, "skipped"))
    assert (await stage.room.planned.skip(wang, 1, AT_18))["opens_ms"] == AT_18 + DAY  # the button was pressed twice
    assert (await stage.room.planned.change(wang, 1, {"note": "新"}))["opens_ms"] == AT_18 + DAY
    await settle_at(stage, AT_18)
    assert window(stage) is None
    await settle_at(stage, AT_18 + DAY)
    assert window(stage) is not None
    await stage.room.planned.make(wang, {**ONCE, "date": "2026-11-25"})
    with refuses(ErrorCode.BAD_REQUEST) as refused:
        await stage.room.planned.skip(wang, 2)
    assert refused.details == {"field": "act"}


async def test_only_administrators_plan(stage: Stage, wang: User, ming: User) -> None:
    await make(stage, wang)
    for actor in (ming, User(ming.id, "老王", Role.ADMINISTRATOR)):
        for call in (
            stage.room.planned.make(actor, DAILY),
            stage.room.planned.change(actor, 1, {"at": "10:00"}),
            stage.room.planned.remove(actor, 1),
            stage.room.planned.skip(actor, 1),
        ):
            with refuses(ErrorCode.FORBIDDEN):
                await call
    assert (await only(stage))["opens_ms"] == AT_18


async def test_there_are_at_most_50(stage: Stage, wang: User) -> None:
    for _ in range(plan_store.PLANS_MAX):
        await make(stage, wang)
    with refuses(ErrorCode.OVER_LIMIT) as refused:
        await make(stage, wang)
    assert (refused.details["reason"], refused.details["limit"]) == ("plans", 50)


WRONG: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"at": "25:00"}, {"field": "at", "reason": "plan_at"}),
    ({"repeat": "weekly", "weekdays": []}, {"field": "weekdays", "reason": "plan_weekdays"}),
    ({"repeat": "once"}, {"field": "date", "reason": "plan_date"}),
    ({"repeat": "once", "date": "2026-11-21"}, {"field": "date", "reason": "plan_past"}),
    ({"repeat": "once", "date": "2026-11-22", "at": "14:36"}, {"field": "date", "reason": "plan_past"}),
    ({"repeat": "once", "date": "0001-01-01"}, {"field": "date", "reason": "plan_past"}),
    ({"repeat": "once", "date": "2027-12-28"}, {"field": "date", "reason": "plan_far", "limit": 400}),
    ({"repeat": "once", "date": "9999-12-31"}, {"field": "date", "reason": "plan_far", "limit": 400}),
    ({"title": "长" * 61}, {"field": "title", "reason": "long", "limit": 60}),
    ({"title": "a\0b"}, {"field": "title", "reason": "characters"}),
    ({"note": "长" * 501}, {"field": "note", "reason": "long", "limit": 500}),
    ({"items": [{"name": "x"}] * 51}, {"field": "items", "reason": "items", "limit": 50}),
    ({"seconds": 86_401}, {"field": "seconds", "reason": "seconds"}),
    ({"seconds": 0}, {"field": "seconds", "reason": "seconds"}),
    ({"template": "x"}, {"field": "template"}),
    ({"window": -1}, {"field": "window"}),
]


@pytest.mark.parametrize(("fields", "details"), WRONG)
async def test_what_is_no_plan_is_refused_at_its_field(
    stage: Stage, wang: User, fields: dict[str, Any], details: dict[str, Any]
) -> None:
    with refuses(ErrorCode.BAD_REQUEST) as refused:
        await make(stage, wang, **fields)
    assert refused.details == details
    assert await stage.room.planned.listed() == []


async def test_the_farthest_date(stage: Stage, wang: User) -> None:
    assert (await make(stage, wang, repeat="once", date="2027-12-27"))["date"] == "2027-12-27"


async def test_a_window_of_before_can_be_planned_again(stage: Stage, wang: User) -> None:
    offered = offer.read({"title": "周五水果", "items": [{"name": "蓝莓"}], "seconds": 300})
    posted = await stage.room.windows.start(wang, offered=offered)
    plan = await stage.room.planned.make(wang, {"repeat": "daily", "at": "18:00", "window": posted.window.id})
    assert (plan["title"], plan["items"][0]["name"], plan["seconds"]) == ("周五水果", "蓝莓", 300)
    with refuses(ErrorCode.NOT_FOUND):
        await make(stage, wang, window=99)


# Opened by the server


async def test_it_opens_at_its_time_in_the_name_of_who_planned_it(stage: Stage, wang: User) -> None:
    await make(stage, wang, items=[{"name": "蓝莓", "stock": "40"}], note="带袋子")
    stage.told()
    await settle_at(stage, AT_18 - 1)
    assert stage.events == []
    await settle_at(stage, AT_18)
    opened = window(stage)
    assert opened is not None
    assert (opened["title"], opened["note"], opened["by"], opened["planned"]) == ("晚市", "带袋子", "老王", True)
    assert (opened["opened_ms"], opened["closes_ms"]) == (AT_18, AT_18 + MINUTE)
    assert opened["items"][0]["left"] == "40"
    [message] = [event.message for event in stage.events if isinstance(event, MessagePosted)]
    assert (message.preset, message.author.name, message.extra) == (Preset.START, "老王", '{"planned":true}')
    assert stage.told(PlannedChanged)[0].next.opens_ms == AT_18 + DAY
    plan = await only(stage)
    assert (plan["opens_ms"], outcome(plan)) == (AT_18 + DAY, (AT_18, "opened"))
    await stage.room.planned.settle()
    assert await stage.sql("SELECT count(*) FROM windows") == [(1,)]
    entries = await stage.run(lambda tx: journal.entries(tx, 1))
    assert journal.first_wrong(entries) is None and '"planned":true' in (entries[0].body or "")


async def test_a_window_that_a_member_opens_is_not_planned(stage: Stage, wang: User) -> None:
    posted = await stage.room.windows.start(wang)
    assert (posted.window.is_planned, posted.message.extra) == (False, "")
    entries = await stage.run(lambda tx: journal.entries(tx, 1))
    assert "planned" not in (entries[0].body or "")


async def test_a_plan_of_one_date_is_gone_once_it_opened(stage: Stage, wang: User) -> None:
    await stage.room.planned.make(wang, ONCE)
    await settle_at(stage, AT_18)
    assert window(stage) is not None
    assert await stage.room.planned.listed() == []
    assert stage.room.planned.hello_fields() == {"planned": None}


async def test_without_a_length_it_is_the_settings_of_that_moment(stage: Stage, wang: User) -> None:
    await make(stage, wang, seconds=None)
    stage.set(window_seconds=300)
    await settle_at(stage, AT_18)
    opened = window(stage)
    assert opened is not None and opened["closes_ms"] == AT_18 + 300_000


async def test_a_template_is_opened_as_it_is_at_that_moment(stage: Stage, wang: User) -> None:
    await stage.sql(
        "INSERT INTO templates (title, note, items, seconds, changed_ms, changed_by) VALUES (?, '', ?, 90, 0, ?)",
        "周五水果", '[{"name":"蓝莓"}]', wang.id,
    )  # fmt: skip
    made = await make(stage, wang, template=1, seconds=None)
    assert (made["title"], made["template"], made["items"][0]["name"]) == ("周五水果", 1, "蓝莓")
    await stage.sql("UPDATE templates SET title = '周五蔬菜'")
    await stage.room.planned.next_opening()  # the timer looks
    assert stage.told(PlannedChanged)[-1].next.title == "周五蔬菜"
    await settle_at(stage, AT_18)
    opened = window(stage)
    assert opened is not None
    assert (opened["title"], opened["closes_ms"] - opened["opened_ms"]) == ("周五蔬菜", 90_000)
    with refuses(ErrorCode.NOT_FOUND):
        await make(stage, wang, template=2)


async def test_a_plan_whose_template_is_gone_does_not_open_and_says_so(stage: Stage, wang: User) -> None:
    await stage.sql(
        "INSERT INTO templates (title, note, items, changed_ms, changed_by) VALUES ('x', '', '[]', 0, ?)", wang.id
    )
    await make(stage, wang, template=1)
    await stage.sql("DELETE FROM templates")
    assert (await only(stage))["blocked"] == "template"
    await stage.room.planned.next_opening()
    assert stage.room.planned.hello_fields() == {"planned": None}
    await settle_at(stage, AT_18)
    assert outcome(await only(stage)) == (AT_18, "template")
    changed = await stage.room.planned.change(wang, 1, {"title": "自己的"})
    assert (changed["title"], changed["template"], changed["blocked"]) == ("自己的", None, None)


# Late


@pytest.mark.parametrize(("late_ms", "opens"), [(LATE_MS, True), (LATE_MS + 1, False)])
@pytest.mark.parametrize("fields", [DAILY, ONCE], ids=["daily", "once"])
async def test_what_was_missed_is_opened_within_ten_minutes_and_else_left_out(
    tmp_path: Path, late_ms: int, opens: bool, fields: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await stage.room.planned.make(wang, fields)
    clock.set_wall(AT_18 + late_ms)
    async with staged(tmp_path, clock) as stage:
        await stage.room.planned.load()
        assert await stage.room.planned.next_opening() == AT_18
        await stage.room.planned.settle()
        assert (window(stage) is not None) is opens
        plans = await stage.room.planned.listed()
        if opens:
            assert "was not opened" not in caplog.text
            assert [outcome(plan)[1] for plan in plans] == (["opened"] if fields is DAILY else [])
            return
        assert [outcome(plan) for plan in plans] == [(AT_18, "missed")]
        assert plans[0]["opens_ms"] == (AT_18 + DAY if fields is DAILY else None)
        assert "planned window 1 (2026-11-22 18:00+08:00) was not opened: missed" in caplog.text
        acts = await stage.sql("SELECT act, details FROM audit ORDER BY id")
        assert acts[-1] == ("plan.fail", f'{{"plan": 1, "opens_ms": {AT_18}, "outcome": "missed"}}')


async def test_of_several_missed_days_the_last_one_may_still_open(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await make(stage, wang)
    clock.set_wall(AT_18 + 3 * DAY + 5 * MINUTE)
    async with staged(tmp_path, clock) as stage:
        await stage.room.planned.load()
        await stage.room.planned.settle()
        assert outcome(await only(stage)) == (AT_18, "missed")
        assert await stage.room.planned.next_opening() == AT_18 + 3 * DAY
        await stage.room.planned.settle()
        assert window(stage) is not None
        plan = await only(stage)
        assert (plan["opens_ms"], outcome(plan)) == (AT_18 + 4 * DAY, (AT_18 + 3 * DAY, "opened"))


async def test_a_clock_set_back_opens_nothing_twice(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    await settle_at(stage, AT_18)
    await stage.room.windows.stop(wang)
    await settle_at(stage, AT_18 - HOUR)
    await settle_at(stage, AT_18 + 30_000)
    assert window(stage) is None
    assert await stage.sql("SELECT count(*) FROM windows") == [(1,)]


async def test_the_end_of_a_window_in_the_future_of_a_clock_set_back_holds_up_nothing(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    stage.clock.set_wall(AT_18 + 5 * HOUR)
    await stage.room.windows.start(wang, 60)
    await stage.room.windows.stop(wang)
    await settle_at(stage, AT_18)
    opened = window(stage)
    assert opened is not None and opened["title"] == "晚市"


# Another time zone


@pytest.mark.parametrize(
    ("zone", "opens_ms"),
    [("Asia/Shanghai", AT_18), ("Asia/Tokyo", AT_18 - HOUR), ("Europe/Berlin", AT_18 + 7 * HOUR)],
)
async def test_a_room_in_another_time_zone_opens_on_the_same_day_at_the_same_hour(
    tmp_path: Path, zone: str, opens_ms: int
) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        await make(stage, await stage.join("老王", Role.ADMINISTRATOR))
    async with staged(tmp_path, clock, timezone=zone) as stage:
        await stage.room.planned.load()
        planned = stage.room.planned.hello_fields()["planned"]
        assert (planned["opens_ms"], planned["zone"]) == (opens_ms, zone)
        assert await stage.room.planned.next_opening() == opens_ms
        await settle_at(stage, opens_ms)
        assert window(stage) is not None


async def test_in_spring_and_autumn_it_opens_once(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock, timezone="Europe/Berlin") as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await make(stage, wang, at="02:30")
        # 2027-03-28: 02:30 does not exist. 2027-10-31: it comes twice.
        for day in (datetime(2027, 3, 28), datetime(2027, 10, 31)):
            day_ms = round(day.replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp() * 1000)
            await stage.room.planned.change(wang, 1, {"repeat": "daily", "at": "02:31"})
            clock.set_wall(day_ms)
            plan = await stage.room.planned.change(wang, 1, {"at": "02:30"})
            opened = []
            for quarter in range(6 * 4):
                await settle_at(stage, day_ms + quarter * 15 * MINUTE)
                shown = window(stage)
                opened += [shown["opened_ms"]] if shown else []
            assert opened == [plan["opens_ms"]]


# Another window is open


async def test_it_waits_until_the_open_window_is_closed(stage: Stage, wang: User) -> None:
    await make(stage, wang, seconds=1800)
    stage.clock.set_wall(AT_18 - MINUTE)
    await stage.room.windows.start(wang, 600)
    assert await stage.room.planned.next_opening() == AT_18
    await settle_at(stage, AT_18)
    plan = await only(stage)
    assert (plan["waiting"], plan["last"], plan["opens_ms"]) == (True, None, AT_18)
    assert await stage.room.planned.next_opening() == AT_18 + 9 * MINUTE
    stage.clock.set_wall(AT_18 + 4 * MINUTE)
    await stage.room.windows.stop(wang)
    assert await stage.room.planned.next_opening() == AT_18
    await stage.room.planned.settle()
    opened = window(stage)
    assert opened is not None
    assert (opened["title"], opened["opened_ms"]) == ("晚市", AT_18 + 4 * MINUTE)
    assert opened["closes_ms"] == AT_18 + 34 * MINUTE


async def test_it_waits_longer_than_ten_minutes_where_it_is_itself_longer(stage: Stage, wang: User) -> None:
    await make(stage, wang, seconds=1800)
    stage.clock.set_wall(AT_18 - MINUTE)
    await stage.room.windows.start(wang, 26 * 60)
    await settle_at(stage, AT_18 + 25 * MINUTE)  # the timers are not late: the timer closes the other window itself
    opened = window(stage)
    assert opened is not None and opened["title"] == "晚市"


async def test_it_waits_for_its_own_length_at_most(stage: Stage, wang: User, caplog: pytest.LogCaptureFixture) -> None:
    await make(stage, wang)
    stage.clock.set_wall(AT_18 - MINUTE)
    await stage.room.windows.start(wang, 600)
    await settle_at(stage, AT_18 + MINUTE - 1)
    assert (await only(stage))["waiting"] is True
    assert await stage.room.planned.next_opening() == AT_18 + MINUTE
    await settle_at(stage, AT_18 + MINUTE)
    plan = await only(stage)
    assert (plan["opens_ms"], outcome(plan)) == (AT_18 + DAY, (AT_18, "busy"))
    assert "was not opened: busy" in caplog.text


async def test_one_that_waited_through_a_restart_opens_or_gives_up_by_the_same_times(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        wang = await stage.join("老王", Role.ADMINISTRATOR)
        await make(stage, wang, seconds=1800)
        await stage.room.planned.make(wang, {**ONCE, "title": "短"})
        clock.set_wall(AT_18 - MINUTE)
        await stage.room.windows.start(wang, 16 * 60)
    # The window ended at 18:15, while the server was down.
    clock.set_wall(AT_18 + 20 * MINUTE)
    async with staged(tmp_path, clock) as stage:
        await stage.room.planned.load()
        await stage.room.planned.settle()
        opened = window(stage)
        assert opened is not None and (opened["title"], opened["opened_ms"]) == ("晚市", clock.now_ms())
        assert [(plan["title"], outcome(plan)[1]) for plan in await stage.room.planned.listed()] == [
            ("晚市", "opened"), ("短", "busy"),
        ]  # fmt: skip


async def test_of_two_at_one_time_the_second_waits(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    await make(stage, wang, title="夜宵", seconds=300)
    await settle_at(stage, AT_18)
    opened = window(stage)
    assert opened is not None and opened["title"] == "晚市"
    await settle_at(stage, AT_18 + MINUTE)
    opened = window(stage)
    assert opened is not None and opened["title"] == "夜宵"


# Permissions


@pytest.mark.parametrize("act", [Act.DEMOTE, Act.BAN])
async def test_a_plan_of_who_may_no_more_is_not_shown_and_does_not_open(stage: Stage, wang: User, act: Act) -> None:
    other = await stage.join("阿丽", Role.ADMINISTRATOR)
    await make(stage, wang, title="", at="17:00")
    await make(stage, other)
    assert stage.room.planned.hello_fields()["planned"]["opens_ms"] == AT_18 - HOUR
    await stage.room.members.act(other, wang.id, act)
    why = {Act.DEMOTE: "forbidden", Act.BAN: "banned"}[act]
    first, second = await stage.room.planned.listed()
    assert (first["blocked"], second["blocked"]) == (why, None)
    stage.told()
    await stage.room.planned.next_opening()
    assert stage.told(PlannedChanged)[0].next.by == "阿丽"
    await settle_at(stage, AT_18 - HOUR)
    assert window(stage) is None
    plans = {plan["id"]: plan for plan in await stage.room.planned.listed()}
    assert (plans[1]["opens_ms"], outcome(plans[1])) == (AT_18 - HOUR + DAY, (AT_18 - HOUR, why))
    # Another administrator takes the plan over.
    assert (await stage.room.planned.change(other, 1, {}))["blocked"] is None


async def test_a_mute_that_is_over_by_then_is_no_obstacle(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", AT_18, wang.id)
    assert (await only(stage))["blocked"] is None
    await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = ?", AT_18 + 1, wang.id)
    assert (await only(stage))["blocked"] == "muted"
    await settle_at(stage, AT_18)
    assert outcome(await only(stage)) == (AT_18, "muted")


async def test_a_name_that_is_taken_away_leaves_the_plan_too(stage: Stage, wang: User) -> None:
    other = await stage.join("难听的名字", Role.ADMINISTRATOR)
    await make(stage, other)
    member = await stage.room.members.act(wang, other.id, Act.TAKE_NAME)
    await stage.room.planned.next_opening()
    assert stage.room.planned.hello_fields()["planned"]["by"] == member.user.name != "难听的名字"


async def test_what_is_rolled_back_is_announced_again(
    stage: Stage, wang: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_store, "PLANS_MAX", 1)
    await make(stage, wang)
    stage.told()

    def failing(tx: Any) -> None:
        stage.room.planned._remove(tx, wang, 1, stage.clock.now_ms())
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        await stage.run(failing)
    assert stage.told() == []
    await stage.room.planned.remove(wang, 1)
    assert stage.told(PlannedChanged) == [PlannedChanged(None)]


async def test_every_act_is_recorded(stage: Stage, wang: User) -> None:
    await make(stage, wang)
    await stage.room.planned.change(wang, 1, {"note": "x"})
    await stage.room.planned.skip(wang, 1)
    await settle_at(stage, AT_18 + DAY)
    await stage.room.planned.remove(wang, 1)
    rows = await stage.sql("SELECT act, done_by, details FROM audit ORDER BY id")
    assert [row[0] for row in rows] == ["plan.make", "plan.change", "plan.skip", "plan.open", "plan.remove"]
    assert {row[1] for row in rows} == {wang.id}
    opens = AT_18 + DAY
    assert rows[3][2] == f'{{"window": 1, "closes_ms": {opens + MINUTE}, "plan": 1}}'


async def test_it_is_known_after_a_restart(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        made = await make(stage, await stage.join("老王", Role.ADMINISTRATOR), items=[{"name": "蓝莓"}])
        shown = stage.room.planned.hello_fields()
    async with staged(tmp_path, clock) as stage:
        assert stage.room.planned.hello_fields() == {"planned": None}
        await stage.room.planned.load()
        assert stage.room.planned.hello_fields() == shown
        assert await only(stage) == made
        await stage.room.planned.next_opening()
        assert stage.told() == []
        await settle_at(stage, AT_18)
        assert stage.told(WindowChanged)[0].window.title == "晚市"
