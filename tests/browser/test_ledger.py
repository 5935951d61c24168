"""The pages of ledgers: sums that grow by themselves, the proof, marks, corrections, the form that opens a window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
ITEMS = [
    {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "40"},
    {"name": "<b>草莓</b>", "unit": "斤", "price": "12.5"},
]


@pytest.fixture
def wang(call: Call) -> Iterator[Caller]:
    """Who leaves no window open behind them, however a test ends."""
    caller = call(ADMINISTRATOR)
    yield caller
    with suppress(HTTPError):  # there is none to stop
        caller.presets("stop")


def opened(wang: Caller, **more: Any) -> str:
    """The address of a new window's ledger."""
    return f"{wang.address}/orders/{wang.presets('start', seconds=600, **more)['window']['id']}/"


@both_pages
def test_the_ledger_fills_by_itself(come: Come, call: Call, wang: Caller, kind: dict[str, Any]) -> None:
    reader = come("读者", **kind)
    page = reader.page
    call("小明").says("在")
    page.goto(opened(wang, title="周五水果", items=ITEMS, note="六点前取"))
    expect(page.locator("h1")).to_have_text("周五水果")
    expect(page.locator("#members")).to_have_text("没有")
    order = call("小明").orders([{"item": 1, "quantity": "2"}, {"item": 2, "quantity": "1.5"}], "软一点")
    expect(page.locator("#orders li")).to_contain_text("蓝莓 2盒，<b>草莓</b> 1.5斤，软一点")
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
    address = opened(wang)
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
    # An entry that was changed on its way is named.
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
    address = opened(wang, items=ITEMS)
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
    one.complaints.clear()  # the browser's own line on the 400


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
    expect(page.locator("#open [role=alert]")).not_to_be_empty()
    expect(page.locator("#open-title")).to_have_value(name)  # nothing that was typed is lost
    rows.first.locator("[name=price]").fill("25")
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
    page.select_option("#open-from", label=name)
    page.click("#open [value=remove]")
    expect(page.locator("#open [role=status]")).to_have_text("模板已删除")
    admin.complaints.clear()  # the browser's own line on the 400


def test_without_scripts_it_says_how_many_and_hands_out_files(come: Come, call: Call, wang: Caller) -> None:
    guest = come(java_script_enabled=False)
    address = opened(wang, title="水果", items=ITEMS)
    call("小明").orders([{"item": 1, "quantity": "2"}])
    guest.page.goto(address)
    expect(guest.page.locator("#ledger-counts")).to_have_text("1 单 · 1 人")
    with guest.page.expect_download() as download:
        guest.page.click("text=CSV")
    assert "蓝莓" in download.value.path().read_text("utf-8-sig")
