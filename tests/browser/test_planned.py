"""Planned windows: made, moved and removed on a page without scripts; shown in the room, opened by the server."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.browser import set_forward
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.test_accessible import faults

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
LINE, BAR = "#planned", "#ordering"
WEEKDAYS = "周一 周二 周三 周四 周五 周六 周日".split()
SHANGHAI = ZoneInfo("Asia/Shanghai")
PROGRAM = set_forward.PROGRAM


@pytest.fixture(autouse=True)
def without_plans(hall: RoomProcess) -> Iterator[None]:
    """Remove the plans after each test, because all tests of this file share the room."""
    yield
    wang = Caller(hall.address, ADMINISTRATOR)
    for plan in wang.reads("/orders/plans/")["plans"]:
        wang.sends("/orders/plans/", act="remove", id=plan["id"])
    if wang.reads("/api/windows/")["windows"][:1] and wang.reads("/api/windows/")["windows"][0]["state"] == "open":
        wang.presets("stop")


def in_days(days: int) -> datetime:
    """20:00 on a later day, in the room's time zone."""
    return (datetime.now(SHANGHAI) + timedelta(days=days)).replace(hour=20, minute=0, second=0, microsecond=0)


def fill_in(page: Page, at: datetime, title: str) -> None:
    page.check("#repeat-once")
    page.fill("#field-date", f"{at:%Y-%m-%d}")
    page.fill("#field-at", f"{at:%H:%M}")
    page.fill("#field-title", title)


def without_scripts(come: Come, kind: dict[str, object], name: str) -> Visitor:
    visitor = come(**kind, java_script_enabled=False)
    visitor.context.add_cookies(Caller(visitor.address, name).cookies())
    visitor.page.goto(f"{visitor.address}/orders/")
    return visitor


@both_pages
def test_a_plan_is_made_moved_and_dropped_without_scripts_and_readers_follow(
    come: Come, kind: dict[str, object]
) -> None:
    ming, page = come("小明", **kind), without_scripts(come, kind, ADMINISTRATOR).page
    line = ming.page.locator(LINE)
    expect(line).to_be_hidden()
    page.get_by_role("link", name="下单计划").click()
    expect(page.locator("#field-date")).to_be_hidden()
    at = in_days(3)
    fill_in(page, at, "周五水果")
    page.click("button[value=make]")
    expect(page.locator("[role=status]")).to_have_text("计划已保存")
    weekday = WEEKDAYS[at.weekday()]
    expect(line).to_have_text(f"下次下单 {weekday} 20:00 周五水果 ")
    expect(line.locator("time")).to_have_attribute(
        "title", f"{at:%Y年%-m月%-d日} 20:00:00 GMT+8 · 由{ADMINISTRATOR}计划"
    )

    page.get_by_role("link", name="修改：周五水果").click()
    expect(page.locator("#repeat-once")).to_be_checked()
    page.fill("#field-at", "21:30")
    page.click("button[value=change]")
    expect(line).to_have_text(f"下次下单 {weekday} 21:30 周五水果 ")

    page.fill("#field-at", "06:00")
    page.check("#repeat-weekly")
    for day in range(1, 8):
        page.check(f"[name=weekday-{day}]")
    page.click("button[value=make]")
    expect(page.locator(".plan")).to_have_count(2)
    expect(line).to_contain_text("06:00")
    is_tomorrow = datetime.now(SHANGHAI).hour >= 6
    expect(line).to_contain_text("明天" if is_tomorrow else "今天")
    page.get_by_role("button", name="跳过下次：下单").click()
    expect(page.locator("[role=status]")).to_have_text("下次已跳过")
    expect(line).not_to_contain_text("明天" if is_tomorrow else "今天")
    expect(page.locator(".plan-last")).to_contain_text("已跳过")
    for name in ("删除：下单", "删除：周五水果"):
        page.get_by_role("button", name=name).click()
    expect(page.locator(".plans")).to_have_text("还没有计划")
    expect(line).to_be_hidden()


def test_what_is_wrong_is_said_and_what_was_typed_stays(come: Come) -> None:
    wang = without_scripts(come, DESKTOP, ADMINISTRATOR)
    page = wang.page
    page.get_by_role("link", name="下单计划").click()
    fill_in(page, in_days(-2), "周五水果")
    page.click("button[value=make]")
    expect(page.locator("#form-error")).to_have_text("这个时间已经过了")
    expect(page.locator("#field-date")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#field-title")).to_have_value("周五水果")
    wang.complaints.clear()  # the answer is 400


def test_it_opens_by_itself_and_all_who_are_here_see_it(come: Come, call: Call, hall: RoomProcess) -> None:
    wang, ming, berlin = come(ADMINISTRATOR), come("小明", **PHONE), come(timezone_id="Europe/Berlin")
    berlin.open_room()
    wang.page.goto(f"{wang.address}/orders/plans/")
    # At a full minute, four to five minutes from now.
    at = (datetime.now(SHANGHAI) + timedelta(seconds=set_forward.STEP_SECONDS)).replace(second=0, microsecond=0)
    fill_in(wang.page, at, "自动开始")
    wang.page.click("button[value=make]")
    wang.open_room()
    for visitor in (wang, ming):
        expect(visitor.page.locator(LINE)).to_contain_text(f"{at:%H:%M} 自动开始")
    there = at.astimezone(ZoneInfo("Europe/Berlin"))
    expect(berlin.page.locator(LINE)).to_contain_text(f"{there:%H:%M} （你的时间）")

    hall.process.send_signal(signal.SIGUSR1)
    for visitor in (ming, wang, berlin):
        expect(visitor.page.locator(BAR)).to_be_visible()
        expect(visitor.page.locator(f"{BAR} .ordering-label")).to_have_text("自动开始")
        expect(visitor.page.locator(f"{BAR} .ordering-opener:visible")).to_have_text(f"由{ADMINISTRATOR}计划，自动开始")
        expect(visitor.page.locator(LINE)).to_be_hidden()
        expect(visitor.page.locator("#messages .notice--preset").last).to_contain_text("按计划自动开始")
    assert call("小明").reads("/api/windows/")["windows"][0]["opened_ms"] >= at.timestamp() * 1000
    # The plan of one date has ended; a window that a member opens does not mention a plan.
    call(ADMINISTRATOR).presets("stop")
    call(ADMINISTRATOR).presets("start", title="自己开始")
    expect(ming.page.locator(f"{BAR} .ordering-opener:visible")).to_have_text(f"由{ADMINISTRATOR}开启")
    call(ADMINISTRATOR).presets("stop")
    expect(ming.page.locator(BAR)).to_be_hidden()
    expect(ming.page.locator(LINE)).to_be_hidden()


@both_pages
def test_the_line_comes_back_when_a_window_is_closed_and_is_there_after_a_reload(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    wang, ming = call(ADMINISTRATOR), come("小明", **kind)
    wang.sends("/orders/plans/", act="make", repeat="once", at="20:00", date=f"{in_days(40):%Y-%m-%d}", title="<b>年货")
    expect(ming.page.locator(LINE)).to_contain_text("<b>年货")
    assert faults(ming.page) == []
    wang.presets("start", seconds=600)
    expect(ming.page.locator(LINE)).to_be_hidden()
    ming.open_room()
    expect(ming.page.locator(BAR)).to_be_visible()
    expect(ming.page.locator(LINE)).to_be_hidden()
    wang.presets("stop")
    expect(ming.page.locator(LINE)).to_be_visible()
    ming.open_room()
    expect(ming.page.locator(LINE)).to_contain_text("20:00 <b>年货")


def test_the_list_of_windows_follows(come: Come, call: Call) -> None:
    wang, guest = call(ADMINISTRATOR), come(timezone_id="Europe/Berlin")
    guest.page.goto(f"{guest.address}/orders/")
    expect(guest.page.locator(LINE)).to_be_hidden()
    at = in_days(2)
    wang.sends("/orders/plans/", act="make", repeat="once", at="20:00", date=f"{at:%Y-%m-%d}", title="周五水果")
    words = f"下次下单 {at:%Y-%m-%d} 20:00（Asia/Shanghai 时间）周五水果"
    expect(guest.page.locator(LINE)).to_have_text(words)
    guest.page.reload()
    expect(guest.page.locator(LINE)).to_have_text(words)
    wang.sends("/orders/plans/", act="remove", id=wang.reads("/orders/plans/")["plans"][0]["id"])
    expect(guest.page.locator(LINE)).to_be_hidden()
