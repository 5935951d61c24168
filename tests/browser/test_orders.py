"""Orders in the room: a sheet of items, orders in the member's own words, and the result of each order."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
ITEMS = [
    {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "10", "limit": "8"},
    {"name": "草莓", "unit": "斤", "price": "12.5"},
    {"name": "没有价钱的赠品"},
]


def open_sheet(page: Page) -> None:
    page.click("#order-button")
    expect(page.locator("#order")).to_be_visible()


def fill(page: Page, **quantities: str) -> None:
    for name, quantity in quantities.items():
        page.fill(f"#order [data-item='{name[1:]}'] input", quantity)


@both_pages
def test_items_are_chosen_with_the_total_on_the_button(come: Come, wang: Caller, kind: dict[str, Any]) -> None:
    ming = come(f"小明{kind['viewport']['width']}", **kind)
    page = ming.page
    expect(page.locator("#order-button")).to_be_hidden()
    wang.presets("start", title="周五水果", note="六点前来取", items=ITEMS, seconds=600)
    expect(page.locator("#order-button")).to_have_text("下单")
    expect(page.locator("#ordering .ordering-label")).to_have_text("周五水果")
    open_sheet(page)
    submit = page.locator("#order [type=submit]")
    expect(submit).to_be_disabled()
    expect(page.locator("#order .order-note")).to_have_text("六点前来取")
    more = page.locator("#order [data-item='1'] [data-step='1']")
    more.click()
    more.click()
    expect(submit).to_have_text("下单 ¥50.00")
    fill(page, i2="1.5")
    expect(submit).to_have_text("下单 ¥68.75")
    fill(page, i2="1.555")
    expect(submit).to_be_disabled()
    fill(page, i2="１.5")  # as a Chinese keyboard writes it
    expect(submit).to_have_text("下单 ¥68.75")
    page.fill("#order [name=note]", "要软一点的")
    submit.click()
    expect(page.locator("#toast")).to_have_text("第 1 号订单，已接单")
    article = page.locator("#messages article[data-kind=order]").last
    expect(article.locator(".order-head")).to_contain_text("第 1 号")
    expect(article).to_contain_text("蓝莓 2盒")
    expect(article).to_contain_text("合计 ¥68.75")
    expect(page.locator("#ordering .ordering-orders")).to_have_text("1 单 · 1 人")
    expect(page.locator("#order-tray")).to_be_hidden()
    receipts = json.loads(page.evaluate("localStorage.getItem('receipts')"))
    assert [[each["no"], len(each["receipt"])] for each in [*receipts.values()][-1]] == [[1, 64]]
    # One tap opens the member's own orders: change one, then withdraw one.
    page.click("[data-my-orders]")
    mine = page.locator("#order .order-mine-item")
    expect(mine).to_have_count(1)
    expect(page.locator("#order [data-item='1'] .order-left")).to_have_text("剩 8")
    mine.locator("[data-mine=change]").click()
    expect(page.locator("#order .order-changing")).to_have_text("正在修改第 1 号订单")
    fill(page, i1="3")
    expect(submit).to_have_text("修改订单 ¥93.75")
    submit.click()
    expect(article).to_contain_text("蓝莓 3盒")
    page.click("[data-my-orders]")
    page.locator("#order [data-mine=withdraw]").click()
    page.click("#confirm [data-action=confirm]")
    expect(page.locator("#messages article").last).to_contain_text("撤回了第 1 号订单")


@both_pages
def test_free_text_is_ordered_by_its_own_button(come: Come, wang: Caller, kind: dict[str, Any]) -> None:
    ming = come(f"小红{kind['viewport']['width']}", **kind)
    page = ming.page
    wang.presets("start", seconds=600)
    ming.field.fill("蓝莓八盒")
    page.click("#order-button")
    expect(page.locator("#messages article[data-kind=order]").last).to_contain_text("蓝莓八盒")
    expect(ming.field).to_have_value("")
    ming.say("蓝莓好吃吗")
    expect(ming.message("蓝莓好吃吗")).to_have_attribute("data-kind", "text")
    ledger = wang.reads("/api/windows/")["windows"][0]
    assert ledger["orders"] == 1
    # The sheet asks for the order itself instead of a note.
    open_sheet(page)
    expect(page.get_by_label("要什么，要多少")).to_be_visible()
    expect(page.locator("#order [data-label=note]")).to_be_hidden()


def test_what_did_not_count_says_so_and_what_can_be_done(
    come: Come, wang: Caller, call: Callable[[str], Caller]
) -> None:
    ming = come("小刚", **PHONE)
    page = ming.page
    wang.presets("start", items=ITEMS, seconds=600)
    open_sheet(page)
    fill(page, i1="9")
    page.click("#order [type=submit]")
    entry = page.locator("#order-tray .order-entry")
    expect(entry).to_contain_text("未计入：蓝莓 每人限购 8盒，你已订 0盒")
    entry.locator("[data-order-entry=discard]").click()
    expect(entry).to_have_count(0)
    # If an item sells out while the sheet is open, the sheet shows the remaining stock at once.
    open_sheet(page)
    fill(page, i1="3")
    call("快手").orders([{"item": 1, "quantity": "8"}])
    expect(page.locator("#order [data-item='1'] .order-left")).to_have_text("剩 2")
    page.click("#order [type=submit]")
    expect(entry).to_contain_text("蓝莓 只剩 2盒")
    entry.locator("[data-order-entry=again]").click()
    expect(page.locator("#order [data-item='1'] input")).to_have_value("3")
    fill(page, i1="2")
    page.click("#order [type=submit]")
    expect(page.locator("#messages article[data-kind=order]").last).to_contain_text("蓝莓 2盒")


def test_an_order_given_offline_says_so_and_never_goes_into_another_window(come: Come, wang: Caller) -> None:
    ming = come("小离", **PHONE)
    page = ming.page
    wang.presets("start", seconds=600)
    expect(page.locator("#order-button")).to_have_text("下单")
    page.context.set_offline(True)
    page.wait_for_selector("#connection:not([data-state=online])", state="attached")
    expect(page.locator("#order-button")).to_have_text("下单（离线）")
    ming.field.fill("草莓两斤")
    page.click("#order-button")
    entry = page.locator("#order-tray .order-entry")
    expect(entry).to_contain_text("还没有送达")
    wang.presets("stop")
    wang.presets("start", seconds=600)
    page.context.set_offline(False)
    expect(entry).to_contain_text("未计入：下单已结束")
    assert wang.reads("/api/windows/")["windows"][0]["orders"] == 0
    expect(entry.locator("[data-order-entry=again]")).to_have_text("下到现在这次")
    entry.locator("[data-order-entry=again]").click()
    expect(page.locator("#messages article[data-kind=order]").last).to_contain_text("草莓两斤")
    page.reload()
    expect(page.locator("#order-tray .order-entry")).to_have_count(0)
    ming.complaints.clear()  # clear the errors of the connections that failed meanwhile


def test_the_close_tells_what_it_came_to(come: Come, wang: Caller, call: Callable[[str], Caller]) -> None:
    ming = come("小合")
    wang.presets("start", title="水果", items=ITEMS, seconds=600)
    for name in ("邻居甲", "邻居乙"):
        call(name).orders([{"item": 1, "quantity": "1"}])
    wang.presets("stop")
    result = ming.page.locator("#messages .notice-result").last
    expect(result).to_have_text("2 单 · 2 人 · ¥50.00")
    expect(ming.page.locator("#order-button")).to_be_hidden()
    result.click()
    ming.page.wait_for_url("**/orders/*/")
