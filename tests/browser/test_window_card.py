"""The card of the ordering window: its texts, its place, when it folds, and what it shows after the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.test_timeline import near, place, scroll

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
# The page is too narrow for the right column, so the card covers the conversation, as on a phone.
NARROW: dict[str, Any] = {"viewport": {"width": 1000, "height": 800}}
above_the_conversation = pytest.mark.parametrize("kind", [NARROW, PHONE], ids=["desktop", "phone"])
ITEMS = [
    {"name": "蓝莓", "unit": "盒", "price": "25.00", "stock": "12"},
    {"name": "沃柑", "unit": "斤", "price": "6.5"},
    {"name": "赠品"},
]
MANY = [{"name": f"水果{no}", "unit": "斤", "price": "5"} for no in range(1, 12)]
CARD = "#ordering"


def expanded(visitor: Visitor, state: str) -> None:
    expect(visitor.page.locator(f"{CARD} .ordering-toggle")).to_have_attribute("aria-expanded", state)


@both_pages
def test_it_lists_the_items_the_counts_and_the_members_own_order(
    come: Come, wang: Caller, call: Call, kind: dict[str, Any]
) -> None:
    name = f"小明{kind['viewport']['width']}"
    ming = come(name, **kind)
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    card = ming.page.locator(CARD)
    expect(card.locator(".ordering-item")).to_have_text(["蓝莓 25.00/盒 剩 12", "沃柑 6.50/斤", "赠品"])
    expect(card.locator("[data-my-orders]")).to_have_text("还没有下单")
    call("莉莉").orders([{"item": 1, "quantity": "12"}])
    expect(card.locator(".ordering-item").first).to_have_text("蓝莓 25.00/盒 已售完")
    call(name).orders([{"item": 2, "quantity": "2"}])
    expect(card.locator(".ordering-orders")).to_have_text("2 单 · 2 人")
    expect(card.locator("[data-my-orders]")).to_have_text("我的 第 2 号 · 沃柑 2斤 · ¥13.00")
    call(name).orders([{"item": 2, "quantity": "1"}])
    expect(card.locator("[data-my-orders]")).to_have_text("我的 2 单")
    each = card.locator(".ordering-mine-list li")
    expect(each).to_have_count(2)
    expect(each.first).to_be_hidden()
    card.get_by_role("button", name="逐条显示我的订单").click()
    expect(each.first).to_have_text("第 2 号 · 沃柑 2斤 · ¥13.00")
    card.get_by_role("button", name="下单", exact=True).click()
    expect(ming.page.locator("#order [data-item='1']")).to_be_visible()


@both_pages
def test_a_long_list_shows_the_first_and_unfolds(come: Come, wang: Caller, kind: dict[str, Any]) -> None:
    ming = come("小明", **kind)
    wang.presets("start", title="周五水果", items=MANY, seconds=600)
    items, more = ming.page.locator(f"{CARD} .ordering-item"), ming.page.locator(f"{CARD} .ordering-more")
    expect(items).to_have_count(4)
    expect(more).to_have_text("还有 7 种")
    more.focus()
    ming.page.keyboard.press("Enter")
    expect(items).to_have_count(11)
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(more).to_be_focused()
    more.click()
    expect(items).to_have_count(4)


@both_pages
def test_the_countdown_is_the_largest_type_on_the_screen(
    come: Come, wang: Caller, call: Call, kind: dict[str, Any]
) -> None:
    call("莉莉").says("🍓")
    ming = come("小明", **kind)
    wang.presets("start", seconds=90)
    wang.presets("countdown")
    expect(ming.page.locator("#countdown")).to_be_visible()
    sizes = ming.page.evaluate(
        """() => {
            const own = (node) => [...node.childNodes].some(each => each.nodeType === 3 && each.data.trim());
            return [...document.querySelectorAll('body *')]
                .filter(node => node.checkVisibility({visibilityProperty: true}) && own(node))
                .map(node => [parseFloat(getComputedStyle(node).fontSize), node.id])
                .sort((a, b) => b[0] - a[0]);
        }"""
    )
    assert sizes[0][1] == "countdown" and sizes[0][0] > sizes[1][0]


@above_the_conversation
def test_it_folds_in_the_history_and_moves_no_message(
    come: Come, wang: Caller, call: Call, kind: dict[str, Any]
) -> None:
    call("莉莉").says_many(40, "翻看 {}")
    ming = come("小明", **kind)
    scroll(ming, -900)
    before = place(ming)
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    expect(ming.page.locator(CARD)).to_be_visible()
    expanded(ming, "false")
    assert near(place(ming), before), "the opening"
    toggle = ming.page.locator(f"{CARD} .ordering-toggle")
    for key, state in (("Enter", "true"), ("Space", "false"), ("Enter", "true")):
        toggle.press(key)
        expanded(ming, state)
        assert near(place(ming), before), key
    # At the end of the list the card unfolds by itself, and folds again when the reader scrolls back.
    ming.page.evaluate("() => { document.querySelector('#messages').scrollTop = 1e6; }")
    ming.drawn()
    expanded(ming, "true")
    scroll(ming, -900)
    expanded(ming, "false")
    expect(ming.page.locator(f"{CARD} .ordering-items")).to_be_hidden()
    expect(ming.page.locator(f"{CARD} .ordering-time")).to_be_visible()


@above_the_conversation
def test_the_first_message_can_be_read_below_the_card(visit: Come, room: RoomProcess, kind: dict[str, Any]) -> None:
    ming = visit("小明", **kind)
    Caller(room.address, ADMINISTRATOR).presets("start", title="周五水果", items=ITEMS, seconds=600)
    li = Caller(room.address, "莉莉")
    li.says("\n".join("第一句" * 20 for _ in range(20)))
    ming.sees("第一句")
    ming.page.evaluate("() => { document.querySelector('#messages').scrollTop = 0; }")
    ming.drawn()
    toggle = ming.page.locator(f"{CARD} .ordering-toggle")
    if toggle.get_attribute("aria-expanded") == "false":
        toggle.click()
    expanded(ming, "true")
    first, card = ming.page.locator("#messages article").first.bounding_box(), ming.page.locator(CARD).bounding_box()
    assert first and card and first["y"] >= card["y"] + card["height"] - 1


def test_it_folds_while_the_keyboard_is_open(come: Come, wang: Caller) -> None:
    ming = come("小明", **PHONE)
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    expanded(ming, "true")
    ming.page.set_viewport_size({"width": 390, "height": 500})
    expanded(ming, "false")
    ming.page.locator(f"{CARD} .ordering-time").tap()
    expanded(ming, "true")
    ming.page.set_viewport_size({"width": 390, "height": 844})
    expanded(ming, "true")
    # A change of orientation is not an open keyboard.
    ming.page.set_viewport_size({"width": 844, "height": 390})
    expanded(ming, "true")


def test_it_stands_at_the_top_of_the_right_column_and_above_the_conversation_without_one(
    come: Come, wang: Caller, call: Call
) -> None:
    call("莉莉").says_many(40, "翻看 {}")
    ming = come("小明")
    left = ming.page.locator(".room-main").bounding_box()
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    expect(ming.page.locator(CARD)).to_be_visible()
    card, main = ming.page.locator(CARD).bounding_box(), ming.page.locator(".room-main").bounding_box()
    people = ming.page.locator(".room-people").bounding_box()
    assert left and card and main and people
    assert main == left, "the conversation keeps its place"
    assert card["y"] == 0 and card["x"] >= main["x"] + main["width"] - 1
    assert people["y"] == card["y"] + card["height"] and people["x"] == card["x"]
    scroll(ming, -900)
    expanded(ming, "true")
    ming.page.set_viewport_size({"width": 1000, "height": 800})
    expanded(ming, "false")
    card, main = ming.page.locator(CARD).bounding_box(), ming.page.locator(".room-main").bounding_box()
    assert card and main and card["y"] == main["y"] and card["width"] == main["width"]


@both_pages
def test_after_the_end_it_says_what_the_orders_came_to(
    come: Come, wang: Caller, call: Call, kind: dict[str, Any]
) -> None:
    name = f"小红{kind['viewport']['width']}"
    ming, li = come(name, **kind), call("莉莉")
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    li.orders([{"item": 1, "quantity": "3"}])
    call(name).orders([{"item": 2, "quantity": "1.5"}])
    expect(ming.page.locator(f"{CARD} .ordering-orders")).to_have_text("2 单 · 2 人")
    wang.presets("stop")
    card = ming.page.locator(CARD)

    def says_it() -> None:
        expect(card).to_have_attribute("data-state", "closed")
        expect(card.locator(".ordering-label")).to_have_text("周五水果")
        expect(card.locator(".ordering-ended")).to_contain_text("已结束")
        expect(card.locator(".ordering-orders")).to_have_text("2 单 · 2 人 · ¥84.75")
        expect(card.locator(".ordering-sums")).to_have_text("蓝莓 3盒 · 沃柑 1.5斤")
        expect(card.locator(".ordering-mine")).to_have_text("我的 第 2 号 · 沃柑 1.5斤 · ¥9.75")
        expect(ming.page.locator("#countdown")).to_be_hidden()
        expect(card.get_by_role("button", name="下单", exact=True)).to_have_count(0)
        expect(card.get_by_role("link", name="再来一次")).to_have_count(0)

    says_it()
    ming.page.reload()
    ming.wait_online()
    says_it()
    card.get_by_role("link", name="查看接龙").click()
    ming.page.wait_for_url("**/orders/*/")
    expect(ming.page.locator("h1")).to_have_text("周五水果")


def test_an_administrator_opens_the_same_again_and_exports(come: Come, wang: Caller, call: Call) -> None:
    boss = come(ADMINISTRATOR)
    wang.presets("start", title="周六蔬菜", items=ITEMS, seconds=600)
    call("莉莉").orders([{"item": 1, "quantity": "3"}])
    wang.presets("stop")
    card = boss.page.locator(CARD)
    export = card.get_by_role("link", name="导出")
    expect(export).to_be_visible()
    answer = boss.page.request.get(boss.address + (export.get_attribute("href") or ""))
    assert answer.status == 200 and "attachment" in answer.headers["content-disposition"]
    card.get_by_role("link", name="再来一次").click()
    expect(boss.page.locator("#open-title")).to_have_value("周六蔬菜")
    expect(boss.page.locator(".open-row")).to_have_count(3)


def test_a_window_without_orders_leaves_nothing_behind(come: Come, wang: Caller) -> None:
    ming = come("小明")
    wang.presets("start", title="没有人要", seconds=600)
    expect(ming.page.locator(f"{CARD} .ordering-label")).to_have_text("没有人要")
    wang.presets("stop")
    expect(ming.page.locator("#countdown")).to_be_hidden()
    expect(ming.page.locator(CARD)).to_be_hidden()
    ming.page.reload()
    ming.wait_online()
    expect(ming.page.locator(CARD)).to_be_hidden()


def test_the_members_own_order_is_there_however_much_was_said_since(come: Come, wang: Caller, call: Call) -> None:
    ming = call("话多时下单的人")
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    own = ming.orders([{"item": 2, "quantity": "2"}])
    call("莉莉").says_many(101, "说个不停 {}")
    mine = come("话多时下单的人").page.locator(f"{CARD} [data-my-orders]")
    expect(mine).to_have_text("我的 第 1 号 · 沃柑 2斤 · ¥13.00")
    ming.sends(f"/order/{own['id']}/", lines=[{"item": 2, "quantity": "3"}], text="")
    expect(mine).to_have_text("我的 第 1 号 · 沃柑 3斤 · ¥19.50")
    ming.recalls(own)
    expect(mine).to_have_text("还没有下单")


@above_the_conversation
def test_a_toast_leaves_the_card_with_its_countdown_free(come: Come, wang: Caller, kind: dict[str, Any]) -> None:
    ming = come("小明", **kind)
    wang.presets("start", title="周五水果", items=ITEMS, seconds=600)
    ming.page.click("#order-button")
    ming.page.locator("#order [data-step='1']").first.click()
    ming.page.click("#order [type=submit]")
    toast = ming.page.locator("#toast")
    expect(toast).to_be_visible()
    card, box = ming.page.locator(CARD).bounding_box(), toast.bounding_box()
    assert card and box
    assert box["y"] >= card["y"] + card["height"]
