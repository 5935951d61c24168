"""Orders in the conversation: one line each, folded if many follow each other, all of them in the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.error import HTTPError

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.test_timeline import near, place, scroll

Come = Callable[..., Visitor]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
ORDERS = "#messages article[data-kind=order][data-state=live]"


@pytest.fixture
def wang(room: RoomProcess) -> Iterator[Caller]:
    caller = Caller(room.address, ADMINISTRATOR)
    caller.presets("start", title="周五水果", items=[{"name": "蓝莓", "unit": "盒", "price": "25"}], seconds=600)
    yield caller
    with suppress(HTTPError):  # no window is open
        caller.presets("stop")


def orders(caller: Caller, count: int, words: str = "") -> list[dict[str, Any]]:
    return [caller.orders([{"item": 1, "quantity": "1"}], words) for _ in range(count)]


@both_pages
def test_an_order_is_one_quiet_line_and_the_readers_own_stands_out(
    visit: Come, room: RoomProcess, wang: Caller, kind: dict[str, Any]
) -> None:
    ming = visit("小明", **kind)
    orders(Caller(room.address, "莉莉"), 1, "要软的")
    orders(Caller(room.address, "小明"), 1)
    theirs, own = ming.page.locator(ORDERS).nth(0), ming.page.locator(ORDERS).nth(1)
    expect(theirs.locator(".order-line-words")).to_have_text("第 1 号 · 莉莉 · 蓝莓 1盒、要软的")
    expect(theirs.locator(".bubble")).to_have_count(0)
    line, bubble = theirs.bounding_box(), own.locator(".bubble").bounding_box()
    assert line and bubble and line["height"] <= 46
    expect(own.locator(".order-head")).to_have_text("第 2 号合计 ¥25.00已接单")
    ming.act("要软的", "copy")


@both_pages
def test_more_than_three_fold_and_new_ones_join(
    visit: Come, room: RoomProcess, wang: Caller, kind: dict[str, Any]
) -> None:
    ming, li, other = visit("小明", **kind), Caller(room.address, "莉莉"), Caller(room.address, "阿强")
    other.says("\n".join("一行" for _ in range(60)))
    orders(li, 3)
    lines = ming.page.locator(ORDERS)
    expect(lines).to_have_count(3)
    fold = ming.page.locator("#messages [data-fold]")
    expect(fold).to_have_count(0)
    placed = orders(li, 8)
    expect(fold).to_have_text("又有 8 单")
    orders(other, 1)
    expect(fold).to_have_text("又有 9 单")
    expect(lines).to_have_count(12)  # in the document, oldest first
    ids = [int(each.get_attribute("data-id") or 0) for each in ming.page.locator("#messages article[data-id]").all()]
    assert ids == sorted(ids)
    assert [each.is_visible() for each in lines.all()] == [True] * 3 + [False] * 9
    # The reader's own order is never folded, and the orders after it begin a new fold.
    orders(Caller(room.address, "小明"), 1)
    orders(li, 1)
    expect(lines.nth(12)).to_be_visible()
    expect(lines.nth(13)).to_be_visible()
    expect(fold).to_have_count(1)
    # A withdrawn order does not count, and stays folded.
    li.recalls(placed[0])
    expect(fold).to_have_text("又有 8 单")
    assert ming.page.locator(f"#messages article[data-id='{placed[0]['id']}']").is_hidden()
    # The keyboard unfolds and folds the orders, and the button stays in its place.
    fold.focus()
    top = fold.bounding_box()
    ming.page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    expect(lines.nth(10)).to_be_visible()
    now = fold.bounding_box()
    assert top and now and abs(now["y"] - top["y"]) <= 1
    orders(li, 1)
    ming.page.keyboard.press("Space")
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(lines.nth(10)).to_be_hidden()


@both_pages
def test_the_arrow_keys_pass_over_what_is_folded(
    visit: Come, room: RoomProcess, wang: Caller, kind: dict[str, Any]
) -> None:
    ming, li = visit("小明", **kind), Caller(room.address, "莉莉")
    orders(li, 6)
    expect(ming.page.locator("#messages [data-fold]")).to_have_text("又有 3 单")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("ArrowUp")
    expect(ming.page.locator(ORDERS).nth(2)).to_be_focused()


@both_pages
def test_a_jump_to_a_folded_order_unfolds_it_and_its_menu_is_there(
    visit: Come, room: RoomProcess, wang: Caller, kind: dict[str, Any]
) -> None:
    li, boss = Caller(room.address, "莉莉"), visit(ADMINISTRATOR, **kind)
    orders(li, 5)
    target = orders(li, 1, "要找的那单")[0]
    li.says("回复那一单", reply_to=target["id"])
    boss.sees("回复那一单")
    article = boss.page.locator(f"#messages article[data-id='{target['id']}']")
    expect(article).to_be_hidden()
    boss.message("回复那一单").locator("[data-jump]").click()
    expect(article).to_be_visible()
    expect(article).to_be_focused()
    expect(boss.page.locator("#messages [data-fold]")).to_have_attribute("aria-expanded", "true")
    article.hover()
    article.locator("[data-action=menu]").click()
    expect(boss.page.locator("#message-menu [data-action=recall]")).to_be_visible()
    boss.page.keyboard.press("Escape")


def test_nothing_moves_while_orders_join_a_fold(visit: Come, room: RoomProcess, wang: Caller) -> None:
    ming, li = visit("小明", **PHONE), Caller(room.address, "莉莉")
    orders(li, 4)
    Caller(room.address, "阿强").says("\n".join("一行" for _ in range(60)))
    ming.sees("一行")
    scroll(ming, -300)
    before = place(ming)
    orders(li, 6)
    expect(ming.page.locator("#messages [data-fold]").last).to_have_text("又有 3 单")
    assert near(place(ming), before)
