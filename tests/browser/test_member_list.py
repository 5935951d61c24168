"""The list of all members on the room page, and a member who takes another name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture(autouse=True)
def members(call: Call) -> None:
    for name in ("张三", "欧阳锋", "小红"):
        call(name)


def opened(visitor: Visitor, kind: dict[str, object]) -> Locator:
    if kind is PHONE:
        visitor.page.click("[data-opens=people]")
    visitor.page.click("[data-all-members]:visible")
    shown = visitor.page.locator("#member-list[open]")
    expect(shown.locator("[data-member]").first).to_be_visible()
    return shown


def names(shown: Locator) -> Locator:
    return shown.locator(".member-name")


@both_pages
def test_everybody_is_found_online_or_not_and_a_tap_opens_the_card(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    ming = come("小明", **kind)
    shown = opened(ming, kind)
    expect(names(shown).first).to_have_text(ADMINISTRATOR)
    expect(shown.locator("li").first.locator(".badge")).to_have_count(1)
    expect(shown).to_contain_text("今天加入")
    shown.locator("[name=q]").fill("oy")
    expect(names(shown)).to_have_text(["欧阳锋"])
    row = shown.locator("[data-member]")
    if kind is PHONE:
        row.tap()
    else:
        row.click()
    card = ming.page.locator("#member-card[open]")
    expect(card.get_by_role("heading")).to_have_text("欧阳锋")
    card.locator("[data-mention]").click()
    expect(ming.page.locator("dialog[open]")).to_have_count(0)
    expect(ming.field).to_have_value("@欧阳锋 ")
    ming.field.fill("")


def test_it_is_used_with_the_keyboard_alone(come: Come, call: Call) -> None:
    ming = come("小明")
    ming.page.locator("[data-all-members]:visible").focus()
    ming.page.keyboard.press("Enter")
    expect(ming.page.locator("#member-list [name=q]")).to_be_focused()
    ming.page.keyboard.type("zs")
    expect(names(ming.page.locator("#member-list"))).to_have_text(["张三"])
    ming.page.keyboard.press("Enter")
    expect(ming.page.locator("#member-list [data-member]")).to_be_focused()
    ming.page.keyboard.press("Enter")
    expect(ming.page.locator("#member-card[open]").get_by_role("heading")).to_have_text("张三")
    ming.page.keyboard.press("Escape")
    expect(ming.page.locator("#member-card[open]")).to_have_count(0)
    expect(ming.page.locator("#member-list [data-member]")).to_be_focused()
    ming.page.keyboard.press("Escape")
    expect(ming.page.locator("[data-all-members]:visible")).to_be_focused()


@both_pages
def test_going_back_closes_the_card_then_the_list_and_stays_in_the_room(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    ming = come("小明", **kind)
    shown = opened(ming, kind)
    shown.locator("[name=q]").fill("张三")
    expect(names(shown)).to_have_text(["张三"])
    shown.locator("[data-member]").click()
    expect(ming.page.locator("#member-card[open]")).to_have_count(1)
    ming.page.go_back()
    expect(ming.page.locator("#member-card[open]")).to_have_count(0)
    expect(shown).to_be_visible()
    ming.page.go_back()
    expect(ming.page.locator("dialog[open]")).to_have_count(0)
    expect(ming.field).to_be_visible()


def test_a_search_without_a_hit_says_so_and_a_long_list_goes_on(come: Come, call: Call) -> None:
    for n in range(50):
        call(f"客人{n}")
    ming = come("小明")
    shown = opened(ming, DESKTOP)
    expect(shown.locator("[data-member]")).to_have_count(50)
    shown.locator("[data-more]").click()
    expect(shown.locator("[data-more]")).to_have_count(0)
    assert shown.locator("[data-member]").count() > 50
    expect(shown.locator("[data-member]").nth(50)).to_be_focused()
    shown.locator("[name=q]").fill("没有这个人")
    expect(shown.locator(".search-state")).to_have_text("没有找到成员")
    expect(shown.locator("[data-member]")).to_have_count(0)


def test_a_guest_is_offered_no_list(come: Come) -> None:
    guest = come()
    guest.open_room()
    expect(guest.page.locator("[data-all-members], #member-list")).to_have_count(0)


@both_pages
def test_a_new_name_is_on_every_page_at_once_with_the_old_one_for_a_day(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    name, new = ("老陈", "陈皮") if kind is PHONE else ("老刘", "刘海")
    call(name).says(f"{name}在此")
    ming, own = come("小明", **kind), come(name, **kind)
    shown = opened(ming, kind)
    shown.locator("[name=q]").fill(name)
    expect(names(shown)).to_have_text([name])
    other = come(**kind)
    other.context.add_cookies(call(name).cookies())
    other.page.goto(f"{other.address}/profile/")
    other.page.fill("[name=username]", new)
    other.page.click("form:has([name=username]) [type=submit]")
    expect(other.page.locator(".form-notice")).to_contain_text("用户名已更改")
    expect(other.page.locator("form:has([name=username])")).to_contain_text("以后可以再改")
    assert other.violations() == []
    expect(names(shown)).to_have_text([new])
    expect(shown).to_contain_text(f"原名 {name}")
    shown.locator("[data-member]").click()
    expect(ming.page.locator("#member-card[open]")).to_contain_text(f"原名 {name}")
    ming.page.keyboard.press("Escape")
    ming.page.keyboard.press("Escape")
    expect(ming.message(f"{name}在此").locator(".message-who")).to_contain_text(new)
    own.page.click("[data-opens=own-menu]")
    expect(own.page.locator(".own-name")).to_have_text(new)
    own.page.keyboard.press("Escape")
    call("张三").says(f"@{new} 看一下")
    expect(own.message("看一下").locator("mark.mention")).to_have_text(f"@{new}")
    own.say("我改名了")
    expect(ming.message("我改名了").locator(".message-who")).to_contain_text(new)


@both_pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_list_is_accessible(come: Come, kind: dict[str, object], scheme: str, locale: str) -> None:
    ming = come("小明", **kind, color_scheme=scheme, locale=locale)
    opened(ming, kind)
    assert ming.violations() == []
    assert ming.page.evaluate("() => document.querySelector('#member-list').scrollWidth - innerWidth") <= 0
