"""A whole evening of ordering: an organiser at a desktop, two members on phones, and members who only order."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Download, Page, expect
from python_calamine import CalamineWorkbook

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
TEMPLATE = {
    "title": "周五水果",
    "note": "六点到八点在东门取货",
    "seconds": 1800,
    "items": [
        {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "12", "limit": "6"},
        {"name": "沃柑", "unit": "斤", "price": "6.5"},
    ],
}
# The orders at the close: number -> (member, lines, note, total).
STANDING = {
    1: ("小明", "蓝莓 3盒", "", "75.00"),
    2: ("莉莉", "蓝莓 1盒，沃柑 3.5斤", "", "47.75"),
    3: ("陈伯", "蓝莓 2盒", "", "50.00"),
    4: ("苏苏", "沃柑 2斤", "挑甜的", "13.00"),
    6: ("小明", "", "帮邻居带一袋橙子", ""),
    7: ("陈伯", "沃柑 1斤", "", "6.50"),
    8: ("苏苏", "蓝莓 2盒", "", "50.00"),
    9: ("林晓", "蓝莓 4盒", "", "100.00"),
    10: ("莉莉", "沃柑 0.5斤", "", "3.25"),
    11: ("林晓", "沃柑 10斤", "", "65.00"),
    12: ("小明", "沃柑 1斤", "", "6.50"),
}


def test_an_evening_from_the_template_to_the_checked_record(come: Come, call: Call) -> None:
    desktop, ming, li = come(ADMINISTRATOR), come("小明", **PHONE), come("莉莉", **PHONE)
    ledger = open_from_template(desktop, call(ADMINISTRATOR))
    order_from_phones(ming, li, call)
    change_and_withdraw(ming, li)
    meet_a_sold_out_item(ming, call)
    expect(desktop.page.locator("#ledger-counts")).to_contain_text("11 单 · 5 人 · ¥417.00")

    end_without_the_organiser(desktop, ming, li, call(ADMINISTRATOR))
    desktop = come(ADMINISTRATOR)
    desktop.page.goto(ledger)
    check_exports(desktop.page)
    phone = come(ADMINISTRATOR, **PHONE)
    phone.page.goto(ledger)
    mark_the_pick_up(phone.page, desktop.page)

    for each in (ming, li):
        each.page.goto(ledger)
        expect(each.page.locator("#orders li")).to_have_count(12)
    correct(desktop.page, [ming.page, li.page, phone.page])
    for each in (ming, li):
        check_the_record(each)
    ming.open_room()
    expect(ming.page.locator("#messages article").last).to_contain_text("更正")
    for visitor in (ming, li):
        visitor.complaints.clear()  # clear the errors of the connections that failed meanwhile


def open_from_template(desktop: Visitor, wang: Caller) -> str:
    """Open a window from a template. Returns the address of its ledger."""
    wang.sends("/orders/templates/", act="make", **TEMPLATE)
    desktop.page.goto(f"{desktop.address}/orders/")
    desktop.page.select_option("#open-from", label=TEMPLATE["title"])
    expect(desktop.page.locator("#open-note")).to_have_value("六点到八点在东门取货")
    desktop.page.click("#open [value=open]")
    desktop.page.wait_for_url("**/orders/*/")
    expect(desktop.page.locator("h1")).to_have_text("周五水果")
    return desktop.page.url


def order_from_phones(ming: Visitor, li: Visitor, call: Call) -> None:
    """Place twelve orders, of which seven come from the two phones."""
    chen, su, lin = (call(name) for name in ("陈伯", "苏苏", "林晓"))
    order(ming, 1, i1="2")
    order(li, 2, i1="1", i2="3.5")
    chen.orders([{"item": 1, "quantity": "2"}])
    su.orders([{"item": 2, "quantity": "2"}], "挑甜的")
    order(li, 5, i2="4")
    order(ming, 6, "帮邻居带一袋橙子")
    chen.orders([{"item": 2, "quantity": "1"}])
    su.orders([{"item": 1, "quantity": "2"}])
    lin.orders([{"item": 1, "quantity": "4"}])
    order(li, 10, i2="0.5")
    lin.orders([{"item": 2, "quantity": "10"}])
    order(ming, 12, i2="1")


def order(who: Visitor, no: int, note: str = "", **quantities: str) -> None:
    fill_sheet(who.page, note, **quantities)
    who.page.click("#order [type=submit]")
    expect(who.page.locator("#toast")).to_have_text(f"第 {no} 号订单，已接单")


def fill_sheet(page: Page, note: str = "", **quantities: str) -> None:
    page.click("#order-button")
    for name, quantity in quantities.items():
        page.fill(f"#order [data-item='{name[1:]}'] input", quantity)
    page.fill("#order [name=note]", note)


def change_and_withdraw(ming: Visitor, li: Visitor) -> None:
    ming.page.click("[data-my-orders]")
    first = ming.page.locator("#order .order-mine-item", has_text="第 1 号")
    first.locator("[data-mine=change]").click()
    ming.page.fill("#order [data-item='1'] input", "3")
    ming.page.click("#order [type=submit]")
    expect(ming.page.locator("#toast")).to_have_text("第 1 号订单已修改")
    li.page.click("[data-my-orders]")
    li.page.locator("#order .order-mine-item", has_text="第 5 号").locator("[data-mine=withdraw]").click()
    li.page.click("#confirm [data-action=confirm]")
    for each in (ming, li):
        expect(each.page.locator("#messages")).to_contain_text("莉莉撤回了第 5 号订单")


def meet_a_sold_out_item(ming: Visitor, call: Call) -> None:
    """All twelve boxes are taken. The phone that comes last gets a refusal, and its order does not count."""
    entry = ming.page.locator("#order-tray .order-entry")
    fill_sheet(ming.page, i1="1")
    ming.page.click("#order [type=submit]")
    expect(entry).to_contain_text("未计入：蓝莓 已售完")
    entry.locator("[data-order-entry=discard]").click()
    expect(entry).to_have_count(0)


def end_without_the_organiser(desktop: Visitor, ming: Visitor, li: Visitor, wang: Caller) -> None:
    """The server closes the window. An order that was sent only after the end, because its phone was offline, is
    refused."""
    li.page.context.set_offline(True)
    li.page.wait_for_selector("#connection:not([data-state=online])", state="attached")
    fill_sheet(li.page, i2="9")
    li.page.click("#order [type=submit]")
    expect(li.page.locator("#order-tray .order-entry")).to_contain_text("还没有送达")
    window_id = wang.presets("start", seconds=2)["window"]["id"]
    desktop.context.close()
    expect(ming.page.locator("#messages .notice-result").last).to_have_text("11 单 · 5 人 · ¥417.00")
    expect(ming.page.locator("#order-button")).to_be_hidden()
    bodies = journal_of(wang, window_id)
    assert [body["by"] for body in bodies if body["kind"] == "closed"] == [None]  # nobody stopped it
    li.page.context.set_offline(False)
    expect(li.page.locator("#order-tray .order-entry")).to_contain_text("未计入：下单已结束，晚了")
    li.page.click("[data-order-entry=discard]")


def journal_of(caller: Caller, window_id: int) -> list[dict[str, Any]]:
    entries = caller.reads(f"/api/windows/{window_id}/journal")["entries"]
    return [json.loads(entry["body"]) for entry in entries if entry["body"]]


def check_exports(page: Page) -> None:
    """Check that all three files have the same orders."""
    text = download(page, "#copy").path().read_text("utf-8").splitlines()
    said = [
        (member, f"{what}；备注：{note}" if what and note else what or note)
        for member, what, note, _ in STANDING.values()
    ]
    assert text == ["#接龙", "周五水果", *(f"{n}. {member} {words}" for n, (member, words) in enumerate(said, 1))]
    heading, *rows = csv.reader(io.StringIO(download(page, "a[href$=csv]").path().read_text("utf-8-sig"), newline=""))
    assert [row[0] for row in rows] == [str(no) for no in range(1, 13)]
    accepted = [dict(zip(heading, row, strict=True)) for row in rows if "已接单" in row]
    assert {int(row["编号"]): (row["成员"], row["备注"], row["金额"]) for row in accepted} == {
        no: (member, note, total) for no, (member, _, note, total) in STANDING.items()
    }
    book = CalamineWorkbook.from_path(download(page, "a[href$=xlsx]").path())
    assert [row[0] for row in book.get_sheet_by_name("订单").to_python()[1:]] == [*range(1, 13)]
    assert book.get_sheet_by_name("汇总").to_python()[-1][-1] == 417.0


def download(page: Page, link: str) -> Download:
    """The file behind a link. Clicks a copy of the link, because a click on the link itself may copy the text."""
    with page.expect_download() as found:
        page.locator(link).evaluate(
            "link => { const other = link.cloneNode(); other.removeAttribute('id'); other.download = '';"
            " document.body.append(other); other.click(); other.remove(); }"
        )
    return found.value


def mark_the_pick_up(phone: Page, desktop: Page) -> None:
    for mark in ("paid", "collected"):
        phone.locator("#members li", has_text="陈伯").locator(f"[data-mark={mark}]").check()
    phone.locator("#members li", has_text="苏苏").locator("[data-mark=paid]").check()
    expect(desktop.locator("#members input:checked")).to_have_count(3)


def correct(desktop: Page, others: list[Page]) -> None:
    """Correct with a reason, which all readers of the ledger see at once."""
    desktop.locator("#orders li", has_text="第 11 号").locator("button").click()
    desktop.fill("#correct [data-item='2']", "9")
    desktop.fill("#correct [name=reason]", "称出来只有九斤")
    desktop.click("#correct [value=change]")
    for page in (desktop, *others):
        expect(page.locator("#corrections")).to_contain_text(f"{ADMINISTRATOR}更正了第 11 号：称出来只有九斤")
        expect(page.locator("#orders li", has_text="第 11 号")).to_contain_text("沃柑 9斤")
        expect(page.locator("#total")).to_have_text("¥410.50")


def check_the_record(who: Visitor) -> None:
    who.page.click("#verify")
    expect(who.page.locator("#verdict")).to_contain_text("记录完整")
    expect(who.page.locator("#verdict")).to_contain_text("回执都在记录里")
