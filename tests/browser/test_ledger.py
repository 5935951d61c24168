"""The pages of ledgers: live sums, the proof, marks, corrections, and the form that opens a window."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor, until

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
ITEMS = [
    {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "40"},
    {"name": "<b>草莓</b>", "unit": "斤", "price": "12.5"},
]


@both_pages
def test_the_ledger_fills_by_itself(come: Come, call: Call, wang: Caller, kind: dict[str, Any]) -> None:
    reader = come("读者", **kind)
    page = reader.page
    call("小明").says("在")
    page.goto(wang.opens_window(title="周五水果", items=ITEMS, note="六点前取"))
    expect(page.locator("h1")).to_have_text("周五水果")
    expect(page.locator("#members")).to_have_text("没有")
    order = call("小明").orders([{"item": 1, "quantity": "2"}, {"item": 2, "quantity": "1.5"}], "软一点")
    expect(page.locator("#orders li")).to_contain_text("蓝莓 2盒、<b>草莓</b> 1.5斤、软一点")
    expect(page.locator("#total")).to_have_text("¥68.75")
    expect(page.locator("#items tr").first).to_contain_text("2盒")
    expect(page.locator("#items tr").first).to_contain_text("38")
    call("小红").orders([{"item": 1, "quantity": "1"}])
    expect(page.locator("#ledger-counts")).to_contain_text("2 单 · 2 人 · ¥93.75")
    page.fill("#filter", "红")
    expect(page.locator("#members li")).to_have_count(1)
    call("小明").recalls(order)
    expect(page.locator("#orders li").first).to_contain_text("已撤回")
    expect(page.locator("#orders")).not_to_contain_text("软一点")
    assert page.locator(".ledger-mark").count() == 0
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_the_record_is_checked_with_ones_own_receipts(come: Come, call: Call, wang: Caller, hall: RoomProcess) -> None:
    ming = come("小核")
    address = wang.opens_window()
    ming.page.goto(f"{wang.address}/")
    ming.wait_online()
    ming.field.fill("蓝莓八盒")
    ming.page.click("#order-button")
    expect(ming.page.locator("#messages article[data-kind=order]").last).to_contain_text("蓝莓八盒")
    ming.until(lambda: ming.page.evaluate("localStorage.getItem('receipts')"))
    ming.page.goto(address)
    ming.page.click("#verify")
    verdict = ming.page.locator("#verdict")
    expect(verdict).to_contain_text("记录完整")
    expect(verdict).to_contain_text("1 张回执")
    # An entry that was changed on the way to the page is named.
    ming.page.route(
        "**/journal",
        lambda route: route.fulfill(
            body=route.fetch().text().replace("蓝莓八盒", "蓝莓九盒"), content_type="application/json"
        ),
    )
    ming.page.click("#verify")
    expect(verdict).to_have_text("记录不完整：第 2 条对不上")
    ming.page.unroute("**/journal")
    ming.page.evaluate(
        "localStorage.receipts = JSON.stringify({[location.pathname.split('/')[2]]: [{no: 1, receipt: '00'}]})"
    )
    ming.page.click("#verify")
    expect(verdict).to_have_text("你的第 1 号订单的回执不在记录里")


def test_administrators_mark_and_correct(come: Come, call: Call, wang: Caller) -> None:
    one, two = come(ADMINISTRATOR), come(ADMINISTRATOR, **PHONE)
    address = wang.opens_window(items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    for visitor in (one, two):
        visitor.page.goto(address)
    paid = "#members [data-mark=paid]"
    one.page.check(paid)
    expect(two.page.locator(paid)).to_be_checked()
    two.page.uncheck(paid)
    expect(one.page.locator(paid)).not_to_be_checked()
    wang.presets("stop")
    one.page.click("#orders li button")
    dialog = one.page.locator("#correct")
    dialog.locator("[data-item='1']").fill("3")
    dialog.locator("[value=change]").click()
    expect(dialog).to_be_visible()  # a reason is needed
    dialog.locator("[name=reason]").fill("少送了一盒")
    dialog.locator("[value=change]").click()
    expect(dialog).to_be_hidden()
    expect(one.page.locator("#orders li")).to_contain_text("蓝莓 3盒")
    expect(one.page.locator("#corrections")).to_contain_text(f"{ADMINISTRATOR}更正了第 1 号：少送了一盒")
    expect(two.page.locator("#total")).to_have_text("¥75.00")
    two.page.click("#orders li button")
    two.page.locator("#correct [name=reason]").fill("重复了")
    two.page.locator("#correct [value=strike]").click()
    expect(one.page.locator("#orders li")).to_contain_text("已撤回")
    one.complaints.clear()  # clear the browser's own line about the 400


def test_a_correction_needs_a_reason_and_cancelling_needs_none(come: Come, call: Call, wang: Caller) -> None:
    admin, reader = come(ADMINISTRATOR), come("读者")
    address = wang.opens_window(items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    wang.presets("stop")
    for visitor in (admin, reader):
        visitor.page.goto(address)
    page, dialog = admin.page, admin.page.locator("#correct")
    page.click("#orders li button")
    dialog.locator("[value=cancel]").click()
    expect(dialog).to_be_hidden()
    page.click("#orders li button")
    dialog.locator("[data-item='1']").fill("3")
    dialog.locator("[name=reason]").fill("少送了一盒")
    dialog.locator("[name=reason]").press("Enter")
    expect(dialog).to_be_hidden()
    # All readers see it without a reload.
    expect(reader.page.locator("#orders li")).to_contain_text("蓝莓 3盒")
    expect(reader.page.locator("#corrections")).to_contain_text(f"{ADMINISTRATOR}更正了第 1 号：少送了一盒")


def test_a_row_keeps_the_focus_when_the_ledger_changes(come: Come, call: Call, wang: Caller) -> None:
    admin = come(ADMINISTRATOR)
    page = admin.page
    address = wang.opens_window(items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    window_id = address.split("/")[-2]
    user_id = wang.reads(f"/api/windows/{window_id}/")["members"][0]["user_id"]
    page.goto(address)
    page.focus("#members [data-mark=paid]")
    page.keyboard.press("Space")
    wang.sends(f"/orders/{window_id}/marks", user_id=user_id, collected=True)
    expect(page.locator("#members [data-mark=collected]")).to_be_checked()
    expect(page.locator("#members [data-mark=paid]")).to_be_checked()
    expect(page.locator("#members [data-mark=paid]")).to_be_focused()
    page.focus("#orders li button")
    call("小红").orders([{"item": 1, "quantity": "1"}])
    expect(page.locator("#orders li")).to_have_count(2)
    expect(page.locator("#orders li button").first).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_paper_members_have_boxes_and_the_digest_stands_below(
    come: Come, call: Call, wang: Caller, scheme: str
) -> None:
    admin = come(ADMINISTRATOR, color_scheme=scheme)
    page = admin.page
    address = wang.opens_window(items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    digest = wang.presets("stop")["window"]["digest"]
    page.goto(address)
    page.check("#members [data-mark=paid]")
    page.emulate_media(media="print")
    expect(page.locator("#members li")).to_contain_text("☑ 已付款")
    assert page.locator("#members .print-box:visible").all_inner_texts() == ["☑ 已付款", "☐ 已取货"]
    expect(page.locator("#digest")).to_be_visible()
    expect(page.locator("#digest")).to_have_text(digest)
    expect(page.locator("#verify")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('#orders time')).color") == "rgb(51, 51, 51)"


def test_the_ledger_comes_after_a_first_request_that_failed(come: Come, call: Call, wang: Caller) -> None:
    reader = come("读者")
    address = wang.opens_window(items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    reader.page.route("**/api/windows/*/", lambda route: route.abort(), times=1)
    reader.page.goto(address)
    expect(reader.page.locator("#orders li")).to_contain_text("蓝莓 2盒")
    expect(reader.page.locator("#ledger-failed")).to_be_hidden()
    assert not [line for line in reader.complaints if "ERR_FAILED" not in line]
    reader.complaints.clear()


def test_what_happens_during_a_request_is_asked_for_again(come: Come, call: Call, wang: Caller) -> None:
    page = come("读者").page
    address = wang.opens_window(items=ITEMS)
    page.goto(address)
    expect(page.locator("#ledger-counts")).to_contain_text("0 单")
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/windows/*/", lambda route: held.append((route, route.fetch())), times=1)
    with page.expect_websocket() as found:
        page.goto(address)
    until(page, lambda: held)
    with found.value.expect_event("framereceived", lambda frame: '"orders":1' in frame):
        call("小明").orders([{"item": 1, "quantity": "2"}])
    route, answer = held[0]
    route.fulfill(response=answer)
    expect(page.locator("#orders li")).to_contain_text("蓝莓 2盒")


def first_without_salt(journal: dict[str, Any]) -> None:
    journal["entries"][0]["salt"] = None


def last_cut_off(journal: dict[str, Any]) -> None:
    journal["entries"].pop()
    journal["digest"] = journal["entries"][-1]["head"]


@pytest.mark.parametrize(
    ("tamper", "verdict"),
    [
        (first_without_salt, "记录不完整：第 1 条对不上"),
        (lambda journal: journal["entries"].insert(0, None), "记录不完整：第 1 条对不上"),
        (last_cut_off, "记录不完整：结尾缺了一段"),
        (lambda journal: journal.update(entries=[], digest="00" * 32), "记录不完整：结尾缺了一段"),
        (lambda journal: journal.update(digest="00" * 32), "记录不完整：结尾缺了一段"),
    ],
)
def test_a_journal_that_was_tampered_with_is_not_whole(
    come: Come, call: Call, wang: Caller, tamper: Callable[[dict[str, Any]], None], verdict: str
) -> None:
    def answer(route: Route) -> None:
        journal = route.fetch().json()
        tamper(journal)
        route.fulfill(json=journal)

    page = come("读者").page
    address = wang.opens_window(items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    wang.presets("stop")
    page.route("**/journal", answer)
    page.goto(address)
    page.click("#verify")
    expect(page.locator("#verdict")).to_have_text(verdict)


@pytest.mark.parametrize("kept", ['{"ID": [null, 7, {"no": 1}]}', '{"ID": 1}', "[]", "null", "x"])
def test_receipts_that_are_none_are_passed_over(come: Come, wang: Caller, kept: str) -> None:
    page = come("读者").page
    address = wang.opens_window()
    page.goto(address)
    page.evaluate("kept => localStorage.setItem('receipts', kept)", kept.replace("ID", address.split("/")[-2]))
    page.click("#verify")
    expect(page.locator("#verdict")).to_contain_text("记录完整")


def test_an_end_by_the_clock_is_in_the_time_zone_of_the_room(come: Come, wang: Caller) -> None:
    page = come(ADMINISTRATOR, timezone_id="America/New_York").page
    page.goto(f"{wang.address}/orders/")
    page.fill("#open-until", (datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(hours=2)).strftime("%H:%M"))
    page.click("#open [value=open]")
    page.wait_for_url("**/orders/*/")
    window = wang.reads("/api/windows/")["windows"][0]
    # The minutes shown by the clock, and the seconds that the test took.
    assert 7000 <= (window["closes_ms"] - window["opened_ms"]) / 1000 <= 7200


@pytest.mark.parametrize(
    ("time", "zone", "now", "seconds"),
    [
        ("20:00", "Asia/Shanghai", "2026-11-27T11:00:00Z", 3600),
        ("19:00", "Asia/Shanghai", "2026-11-27T11:00:00Z", 86_400),
        ("00:00", "UTC", "2026-11-27T23:59:59Z", 1),
        ("03:30", "America/New_York", "2026-03-08T06:30:00Z", 3600),  # an hour is left out at 2:00
        ("03:30", "America/New_York", "2026-11-01T04:30:00Z", 4 * 3600),  # an hour comes twice
    ],
)
def test_seconds_until_a_time_of_the_clock(
    come: Come, wang: Caller, time: str, zone: str, now: str, seconds: int
) -> None:
    page = come(ADMINISTRATOR).page
    page.goto(f"{wang.address}/orders/")
    module = page.locator("script[src*='ledger/open.js']").evaluate("node => node.src.replace('open.js', 'until.js')")
    script = "async ([module, time, zone, now]) => (await import(module)).secondsUntil(time, zone, Date.parse(now))"
    assert page.evaluate(script, [module, time, zone, now]) == seconds


def test_a_window_can_be_opened_without_the_prepared_ones(come: Come, wang: Caller) -> None:
    admin = come(ADMINISTRATOR)
    admin.page.route("**/orders/templates/", lambda route: route.abort())
    admin.page.goto(f"{wang.address}/orders/")
    expect(admin.page.locator("#open [role=alert]")).not_to_be_empty()
    admin.page.click("#open [value=open]")
    admin.page.wait_for_url("**/orders/*/")
    admin.complaints.clear()  # clear the browser's own line about the failed request


def test_rows_of_a_large_ledger_stay_the_same_nodes(come: Come, call: Call, wang: Caller) -> None:
    page = come("读者").page
    address = wang.opens_window(items=ITEMS)
    for number in range(15):
        for _ in range(20):
            call(f"成员{number}").orders([{"item": 2, "quantity": "1"}])
    page.goto(address)
    expect(page.locator("#orders li")).to_have_count(300)
    assert page.locator("#orders b").all_inner_texts() == [f"第 {no} 号" for no in range(1, 301)]
    page.evaluate("for (const row of document.querySelectorAll('#orders li')) row.isFirst = true")
    call("小明").orders([{"item": 2, "quantity": "1"}])
    expect(page.locator("#orders li")).to_have_count(301)
    assert page.evaluate("[...document.querySelectorAll('#orders li')].filter((row) => row.isFirst).length") == 300
    page.fill("#filter", "成员7")
    expect(page.locator("#members li")).to_have_count(1)
    page.fill("#filter", "")
    expect(page.locator("#members li")).to_have_count(16)
    assert page.locator("#members .ledger-name").all_inner_texts()[0] == "成员0"


@both_pages
def test_a_window_is_opened_from_the_form_and_kept_as_a_template(
    come: Come, wang: Caller, kind: dict[str, Any]
) -> None:
    admin = come(ADMINISTRATOR, **kind)
    page = admin.page
    page.goto(f"{wang.address}/orders/")
    name = f"水果 {kind['viewport']['width']}"
    page.fill("#open-title", name)
    page.click("#open-add")
    page.click("#open-add")
    rows = page.locator(".open-row")
    rows.first.locator("[name=name]").fill("蓝莓")
    rows.first.locator("[name=price]").fill("25元")
    page.fill("#open-minutes", "10")
    page.click("#open [value=open]")
    expect(rows.first.locator(".field-error")).to_have_text("单价请填数字，最多 999999.99，两位小数")
    expect(rows.first.locator("[name=price]")).to_be_focused()
    expect(page.locator("#open-title")).to_have_value(name)  # typed text is not lost
    rows.first.locator("[name=price]").fill("２５")  # as a Chinese keyboard writes it
    expect(rows.first.locator(".field-error")).to_be_hidden()
    page.click("#open [value=keep]")
    expect(page.locator("#open [role=status]")).to_have_text("模板已保存")
    page.reload()
    page.select_option("#open-from", label=name)
    expect(page.locator(".open-row [name=price]")).to_have_value("25.00")
    page.click("#open [value=open]")
    page.wait_for_url("**/orders/*/")
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator("#ledger-state")).to_contain_text("还剩 9:")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    page.goto(f"{wang.address}/orders/")
    page.click("#open-box summary")  # the form is folded while a window is open
    page.select_option("#open-from", label=name)
    page.click("#open [value=remove]")
    expect(page.locator("#open [role=status]")).to_have_text("模板已删除")
    admin.complaints.clear()  # clear the browser's own line about the 400


def test_without_scripts_it_says_how_many_and_hands_out_files(come: Come, call: Call, wang: Caller) -> None:
    guest = come(java_script_enabled=False)
    address = wang.opens_window(title="水果", items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    guest.page.goto(address)
    expect(guest.page.locator("#ledger-counts")).to_have_text("1 单 · 1 人")
    with guest.page.expect_download() as download:
        guest.page.click("text=CSV")
    assert "蓝莓" in download.value.path().read_text("utf-8-sig")


@both_pages
def test_the_list_says_by_whom_how_much_and_how_long_still(
    come: Come, call: Call, wang: Caller, kind: dict[str, Any]
) -> None:
    reader = come("读者", **kind)
    page = reader.page
    window_id = wang.opens_window(title="周五水果", items=ITEMS).split("/")[-2]
    page.goto(f"{wang.address}/orders/")
    row = page.locator(f"[data-window='{window_id}']")
    expect(row).to_contain_text(f"由{ADMINISTRATOR}开启")
    expect(row.locator(".tag")).to_have_text("进行中")
    expect(row.locator(".window-left")).to_contain_text("还剩 9:")
    call("小明").orders([{"item": 1, "quantity": "2"}])
    expect(row.locator(".window-sums")).to_have_text("1 单 · 1 人 ¥50.00")
    wang.presets("stop")
    expect(row.locator(".tag")).to_have_text("已结束")
    expect(row.locator(".window-left")).to_be_empty()
    # A page without a form shows the next window by itself.
    other = wang.opens_window(title="周六蔬菜")
    expect(page.locator(f"[data-window='{other.split('/')[-2]}']")).to_contain_text("周六蔬菜")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_window_is_kept_as_a_template_from_its_page(come: Come, wang: Caller) -> None:
    admin, reader = come(ADMINISTRATOR), come("读者")
    address = wang.opens_window(title="端午粽子", items=ITEMS, note="自取")
    admin.page.goto(address)
    admin.page.click("#keep")
    expect(admin.page.locator("#ledger-notice")).to_have_text("模板已保存")
    templates = wang.reads("/orders/templates/")["templates"]
    kept = next(template for template in templates if template["title"] == "端午粽子")
    assert (kept["note"], kept["seconds"], len(kept["items"])) == ("自取", 600, 2)
    reader.page.goto(address)
    expect(reader.page.locator("#ledger")).to_be_visible()
    expect(reader.page.locator("#keep")).to_have_count(0)


def test_administrators_see_who_is_in_the_room_and_has_not_ordered(come: Come, call: Call, wang: Caller) -> None:
    ming, admin = come("小缺"), come(ADMINISTRATOR)
    address = wang.opens_window(items=ITEMS)
    ming.page.goto(address)
    admin.page.goto(address)
    absent = admin.page.locator("#absent")
    expect(absent).to_contain_text("小缺")
    call("小缺").orders([{"item": 1, "quantity": "1"}])
    expect(absent).not_to_contain_text("小缺")
    expect(ming.page.locator("#members")).to_contain_text("小缺")
    expect(ming.page.locator("#absent")).to_have_count(0)
    wang.presets("stop")
    expect(absent).to_be_hidden()


def test_a_ledger_has_the_times_of_the_room(come: Come, call: Call, wang: Caller) -> None:
    page = come("读者", timezone_id="America/New_York").page
    address = wang.opens_window(items=ITEMS)
    placed = call("小明").orders([{"item": 1, "quantity": "1"}])
    closes_ms = wang.presets("stop")["window"]["closes_ms"]
    page.goto(address)
    expect(page.locator("#orders time")).to_have_text(placed["timestamp"][-8:])
    ended = datetime.fromtimestamp(closes_ms // 1000, ZoneInfo("Asia/Shanghai"))
    expect(page.locator("#ledger-ends")).to_have_text(f"{ended:%Y-%m-%d %H:%M:%S} 结束")


def test_an_end_by_the_clock_does_not_depend_on_the_clock_of_the_browser(come: Come, wang: Caller) -> None:
    page = come(ADMINISTRATOR).page
    page.clock.install(time=datetime.now() - timedelta(hours=3))
    page.goto(f"{wang.address}/orders/")
    wanted = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(hours=2)
    page.fill("#open-minutes", "5")
    page.fill("#open-until", f"{wanted:%H:%M}")
    expect(page.locator("#open-minutes")).to_have_value("")
    expect(page.locator("#open-ends")).to_have_text(f"到 {wanted:%Y-%m-%d %H:%M} 结束")
    page.click("#open [value=open]")
    page.wait_for_url("**/orders/*/")
    window = wang.reads("/api/windows/")["windows"][0]
    assert window["closes_ms"] // 60_000 == int(wanted.timestamp()) // 60


@pytest.mark.parametrize(
    ("fields", "place", "message"),
    [
        ({"name": ""}, "name", "请填品名"),
        ({"price": "-1"}, "price", "单价请填数字，最多 999999.99，两位小数"),
        ({"stock": "0"}, "stock", "请填大于 0 的数，最多 999999.99，两位小数"),
        ({"limit": "1.234"}, "limit", "请填大于 0 的数，最多 999999.99，两位小数"),
        ({"name": "沃柑"}, "name", "前面已经有这个品名"),
    ],
)
def test_what_is_wrong_with_an_item_is_said_at_its_field(
    come: Come, wang: Caller, fields: dict[str, str], place: str, message: str
) -> None:
    admin = come(ADMINISTRATOR)
    page = admin.page
    page.goto(f"{wang.address}/orders/")
    for _ in range(3):
        page.click("#open-add")
    rows = page.locator(".open-row")
    rows.nth(0).locator("[name=name]").fill("沃柑")
    # The row between them is empty, so it is not an item.
    for name, value in {"name": "蓝莓", "unit": "盒", **fields}.items():
        rows.nth(2).locator(f"[name={name}]").fill(value)
    page.click("#open [value=open]")
    expect(rows.nth(2).locator(".field-error")).to_have_text(message)
    expect(rows.nth(2).locator(f"[name={place}]")).to_be_focused()
    assert page.locator("#open [aria-invalid]").count() == 1
    admin.complaints.clear()  # clear the browser's own line about the 400


def test_a_length_that_is_none_and_enter_among_the_items_open_no_window(come: Come, wang: Caller) -> None:
    page = come(ADMINISTRATOR).page
    before = len(wang.reads("/api/windows/")["windows"])
    page.goto(f"{wang.address}/orders/")
    page.click("#open-add")
    page.keyboard.type("蓝莓")
    page.keyboard.press("Enter")
    expect(page.locator(".open-row")).to_have_count(2)
    expect(page.locator(".open-row [name=name]").nth(1)).to_be_focused()
    page.fill("#open-minutes", "1441")
    page.click("#open [value=open]")
    expect(page.locator("#wrong-minutes")).to_have_text("时长请填 1 秒到 24 小时")
    expect(page.locator("#open-minutes")).to_be_focused()
    assert len(wang.reads("/api/windows/")["windows"]) == before


def test_the_form_says_when_it_has_to_wait_for_the_open_window(come: Come, wang: Caller) -> None:
    wang.opens_window()
    page = come(ADMINISTRATOR).page
    page.goto(f"{wang.address}/orders/")
    page.click("#open-box summary")
    expect(page.locator("#open [data-while=open]")).to_be_visible()
    wang.presets("stop")
    expect(page.locator("#open [data-while=closed]")).to_be_visible()
    expect(page.locator("#open [data-while=open]")).to_be_hidden()


def test_on_a_small_phone_no_number_of_the_table_is_cut(come: Come, call: Call, wang: Caller) -> None:
    page = come("读者", **{**PHONE, "viewport": {"width": 320, "height": 568}}).page
    address = wang.opens_window(
        items=[{"name": "红颜草莓（大果，当天早上采摘）", "unit": "斤", "price": "29.9", "stock": "900"}]
    )
    call("小明").orders([{"item": 1, "quantity": "123.5"}])
    page.goto(address)
    expect(page.locator("#total")).to_have_text("¥3692.65")
    right = "node => node.getBoundingClientRect().right"
    assert page.locator(".ledger-table").evaluate(right) <= page.locator("#ledger").evaluate(right)
