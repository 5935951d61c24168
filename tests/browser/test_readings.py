"""Readings of free-text orders on the ledger's page: suggested, confirmed, corrected, or marked as not understood."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def sums(page: Page) -> list[str]:
    # This runs in one step of the page: each event makes the rows again, and a removed row has no gaps between its
    # cells.
    rows: list[str] = page.evaluate(
        "() => Array.from(document.querySelectorAll('#readings-sums tbody tr'), row => row.innerText)"
    )
    return [" ".join(row.split()) for row in rows]


@both_pages
def test_readings_are_confirmed_and_corrected_in_place(
    come: Come, call: Call, wang: Caller, kind: dict[str, Any]
) -> None:
    admin, other = come(ADMINISTRATOR, **kind), come(ADMINISTRATOR)
    page = admin.page
    address = wang.opens_window(title="周五水果")
    for name, words in {"小明": "蓝莓八盒，苹果3斤", "小红": "蓝莓2盒 要大的", "阿强": "老样子"}.items():
        call(name).orders([], words)
    for visitor in (admin, other):
        visitor.page.goto(address)
    state = page.locator("#readings-state")
    expect(state).to_have_text("已确认 0 单，待确认 2 单，没有看懂 1 单")
    # Nothing counts before it is confirmed.
    expect(page.locator("#readings-sums")).to_be_hidden()
    waiting, unread = page.locator("#readings-waiting > li"), page.locator("#readings-unread > li")
    expect(waiting.first).to_contain_text("蓝莓 8 盒")
    expect(waiting.last.locator(".reading-rest")).to_have_text("没有看懂：要大的")
    expect(unread).to_contain_text("老样子")
    # One tap confirms it.
    waiting.first.locator("[data-act=confirm]").click()
    expect(state).to_have_text("已确认 1 单，待确认 1 单，没有看懂 1 单")
    assert sorted(sums(page)) == ["苹果 3 斤", "蓝莓 8 盒"]
    expect(waiting.locator("[data-act=confirm]")).to_be_focused()
    expect(other.page.locator("#readings-state")).to_have_text("已确认 1 单，待确认 1 单，没有看懂 1 单")
    # The administrator corrects it in its row; Chinese and full-width numbers are accepted.
    waiting.locator("[data-act=correct]").click()
    form = waiting.locator("form")
    expect(form.locator("[name=name]")).to_be_focused()
    form.locator("[name=name]").fill("大蓝莓")
    form.locator("[name=quantity]").fill("二三")
    form.locator("[type=submit]").click()
    expect(form.locator("[role=alert]")).to_have_text("每一行都要有品名和数量，至少一行")
    form.locator("[name=quantity]").fill("十二")
    form.locator("[data-add]").click()
    form.locator("[name=name]").last.fill("草莓")
    form.locator("[name=quantity]").last.fill("２.５")
    form.locator("[name=unit]").last.fill("斤")
    form.locator("[name=unit]").last.press("Enter")
    expect(state).to_have_text("已确认 2 单，待确认 0 单，没有看懂 1 单")
    assert sorted(sums(page)) == ["大蓝莓 12 盒", "苹果 3 斤", "草莓 2.5 斤", "蓝莓 8 盒"]
    expect(page.locator("#readings-waiting-part")).to_be_hidden()
    # A text that was not understood is marked as having no amount, and then filled in after all.
    unread.locator("[data-act=none]").click()
    expect(state).to_have_text("已确认 3 单，待确认 0 单，没有看懂 0 单")
    page.click("#readings summary")
    confirmed = page.locator("#readings-confirmed > li")
    expect(confirmed.last).to_contain_text("没有数量")
    confirmed.last.locator("[data-act=correct]").click()
    confirmed.last.locator("[data-act=cancel]").click()
    expect(confirmed.last.locator("[data-act=correct]")).to_be_focused()
    confirmed.last.locator("[data-act=correct]").click()
    confirmed.last.locator("[name=name]").fill("蓝莓")
    confirmed.last.locator("[name=quantity]").fill("1")
    confirmed.last.locator("[name=unit]").fill("盒")
    confirmed.last.locator("[type=submit]").click()
    expect(page.locator("#readings-sums")).to_contain_text("9 盒")
    expect(other.page.locator("#readings-sums")).to_contain_text("9 盒")
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


def test_a_changed_order_waits_again(come: Come, call: Call, wang: Caller) -> None:
    page = come(ADMINISTRATOR).page
    address = wang.opens_window()
    ming = call("小明")
    order = ming.orders([], "蓝莓八盒")
    page.goto(address)
    page.click("#readings-waiting [data-act=confirm]")
    expect(page.locator("#readings-sums")).to_contain_text("8 盒")
    ming.sends(f"/order/{order['id']}/", text="蓝莓九盒")
    expect(page.locator("#readings-waiting > li")).to_contain_text("蓝莓 9 盒")
    expect(page.locator("#readings-sums")).to_be_hidden()
    ming.recalls(order)
    expect(page.locator("#readings")).to_be_hidden()


def test_what_is_being_typed_stays_when_other_orders_come(come: Come, call: Call, wang: Caller) -> None:
    page = come(ADMINISTRATOR).page
    address = wang.opens_window()
    call("小明").orders([], "老样子")
    page.goto(address)
    page.click("#readings-unread [data-act=correct]")
    page.fill("#readings-unread [name=name]", "蓝莓")
    call("小红").orders([], "照旧")
    call("阿强").orders([], "蓝莓八盒")
    expect(page.locator("#readings-state")).to_contain_text("待确认 1 单，没有看懂 2 单")
    expect(page.locator("#readings-unread [name=name]")).to_have_value("蓝莓")
    expect(page.locator("#readings-unread [name=name]")).to_be_focused()


def test_what_the_page_shows_no_more_is_not_confirmed(come: Come, call: Call, wang: Caller) -> None:
    admin = come(ADMINISTRATOR)
    page = admin.page
    address = wang.opens_window()
    ming = call("小明")
    order = ming.orders([], "蓝莓八盒")
    page.goto(address)
    expect(page.locator("#readings-waiting > li")).to_have_count(1)
    page.route("**/api/windows/*/", lambda route: route.abort())
    ming.sends(f"/order/{order['id']}/", text="老样子")
    page.click("#readings-waiting [data-act=confirm]")
    expect(page.locator("#ledger-notice")).to_have_text("这个订单已经改过，请再看一遍")
    assert wang.reads(f"/api/windows/{address.split('/')[-2]}/")["orders"][0]["reading"] is None
    admin.complaints.clear()  # clear the browser's own lines about the 410 and the cancelled requests


def test_members_and_windows_of_items_have_no_readings(come: Come, call: Call, wang: Caller) -> None:
    admin, reader = come(ADMINISTRATOR), come("读者")
    address = wang.opens_window(items=[{"name": "蓝莓", "unit": "盒"}])
    call("小明").orders([{"item": 1, "quantity": "2"}], "苹果3斤")
    for visitor in (admin, reader):
        visitor.page.goto(address)
        expect(visitor.page.locator("#orders li")).to_contain_text("苹果3斤")
    expect(admin.page.locator("#readings")).to_be_hidden()
    assert reader.page.locator("#readings").count() == 0
    # An order without items is read there too.
    call("小红").orders([], "草莓3盒")
    expect(admin.page.locator("#readings-waiting > li")).to_contain_text("草莓 3 盒")
