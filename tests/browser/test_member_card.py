"""The card of a member: opened by an avatar, a name or the keyboard, and its actions for each kind of reader."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from chatserver.http.qr_code import qr_code
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def card(visitor: Visitor) -> Locator:
    return visitor.page.locator("#member-card[open]")


def opened(visitor: Visitor, text: str) -> Locator:
    """Open the card of the author of `text`, by a press on the avatar."""
    visitor.message(text).locator(".message-face > *").click()
    expect(card(visitor)).to_be_visible()
    return card(visitor)


@both_pages
def test_a_press_on_a_face_or_a_name_opens_the_card(come: Come, call: Call, kind: dict[str, object]) -> None:
    text = f"我是张三 {kind is PHONE}"
    call("张三").says(text)
    ming = come("小明", **kind)
    shown = opened(ming, text)
    expect(shown.get_by_role("heading")).to_have_text("张三")
    expect(shown).to_contain_text("今天加入")
    expect(shown.locator("[data-act]")).to_have_count(0)
    shown.locator("[data-closes]").click()
    expect(card(ming)).to_have_count(0)
    ming.message(text).locator(".message-who").click()
    shown.locator("[data-mention]").click()
    expect(card(ming)).to_have_count(0)
    expect(ming.field).to_have_value("@张三 ")
    expect(ming.field).to_be_focused()
    ming.field.fill("")


def test_a_tap_opens_it_on_a_phone(come: Come, call: Call) -> None:
    call("张三").says("点一下头像")
    ming = come("小明", **PHONE)
    for part in (".message-face > *", ".message-who"):
        ming.message("点一下头像").locator(part).tap()
        expect(card(ming).get_by_role("heading")).to_have_text("张三")
        card(ming).locator("[data-closes]").tap()
        expect(card(ming)).to_have_count(0)


@both_pages
def test_a_name_in_the_list_of_members_opens_it_too(come: Come, kind: dict[str, object]) -> None:
    come("张三")
    ming = come("小明", **kind)
    if kind is PHONE:
        ming.page.click("[data-opens=people]")
    ming.page.click(".member-open:visible:has-text('张三')")
    expect(card(ming).get_by_role("heading")).to_have_text("张三")
    ming.page.keyboard.press("Escape")
    expect(card(ming)).to_have_count(0)


def test_a_name_is_reached_by_the_keyboard(come: Come, call: Call) -> None:
    call("张三").says("只用键盘看名片")
    ming = come("小明")
    ming.message("只用键盘看名片").focus()
    ming.page.keyboard.press("Tab")
    expect(ming.message("只用键盘看名片").locator(".message-who")).to_be_focused()
    ming.page.keyboard.press("Enter")
    expect(card(ming).get_by_role("heading")).to_have_text("张三")
    ming.page.keyboard.press("Escape")
    expect(ming.message("只用键盘看名片").locator(".message-who")).to_be_focused()


def test_a_guest_sees_it_and_oneself_is_not_mentioned(come: Come, call: Call) -> None:
    call("张四").says("给游客看")
    guest, zhang = come(), come("张四")
    guest.open_room()
    expect(opened(guest, "给游客看").locator("[data-mention], [data-act]")).to_have_count(0)
    expect(opened(zhang, "给游客看").locator("[data-mention], [data-act]")).to_have_count(0)


def test_the_card_counts_the_orders_of_the_open_window(come: Come, call: Call) -> None:
    wang, other = call(ADMINISTRATOR), call("张五")
    other.says("要下单")
    wang.presets("start", seconds=300)
    other.orders([], "两盒草莓")
    ming = come("小明")
    expect(opened(ming, "要下单")).to_contain_text("这次下单 1 笔")
    wang.presets("stop")


@both_pages
def test_an_administrator_acts_on_it_and_is_asked_before_what_matters(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    name = "李四" if kind is PHONE else "李五"
    text = f"我是{name}"
    call(name).says(text)
    wang, other = come(ADMINISTRATOR, **kind), come(name)
    shown = opened(wang, text)
    shown.locator("select").select_option("600")
    shown.locator("[data-act=mute]").click()
    expect(shown).to_contain_text("禁言至")
    expect(other.page.locator("#toast")).to_contain_text("你被禁言到")
    shown.locator("[data-act=unmute]").click()
    expect(shown.locator("[data-act=unmute]")).to_have_count(0)
    expect(other.page.locator("#toast")).to_have_text("你的禁言已解除")
    shown.locator("[data-act=promote]").click()
    expect(wang.page.locator("#confirm-question")).to_contain_text(f"把{name}设为管理员？")
    wang.page.click("#confirm [value=no]")
    expect(shown.locator("[data-act=promote]")).to_be_visible()
    shown.locator("[data-act=promote]").click()
    wang.page.click("#confirm [value=yes]")
    expect(shown.locator("[data-act=demote]")).to_be_focused()
    expect(shown.locator(".badge")).to_have_count(1)
    shown.locator("[data-act=demote]").click()
    wang.page.click("#confirm [value=yes]")
    expect(shown.locator("[data-act=promote]")).to_be_visible()
    shown.locator("[data-act=ban]").click()
    wang.page.click("#confirm [value=yes]")
    expect(shown).to_contain_text("账号已停用")
    expect(other.page.locator("#banner")).to_be_visible()


@both_pages
def test_a_password_link_is_shown_once_and_lets_its_member_in(come: Come, call: Call, kind: dict[str, object]) -> None:
    name = "赵六" if kind is PHONE else "赵七"
    call(name).says(f"{name}忘了密码")
    wang, other = come(ADMINISTRATOR, **kind), come(name)
    shown = opened(wang, f"{name}忘了密码")
    shown.locator("[data-password-link]").click()
    address = shown.locator(".share-address").inner_text()
    expect(shown.locator(".qr-code path")).to_have_attribute("d", qr_code(address).path)
    shown.locator("[data-copy]").click()
    expect(shown.locator(".share [role=status]")).to_have_text("已复制")
    assert wang.violations() == []
    shown.locator("[data-closes]").click()
    expect(opened(wang, f"{name}忘了密码").locator(".share")).to_have_count(0)
    visitor = come(**kind)
    visitor.page.goto(address)
    assert visitor.violations() == []
    visitor.page.fill("[name=password]", "a new long secret")
    visitor.page.click("main [type=submit]")
    visitor.wait_online()
    expect(other.page.locator("#banner")).to_be_visible()


@both_pages
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_card_is_accessible(come: Come, call: Call, kind: dict[str, object], scheme: str, locale: str) -> None:
    call(f"客{int(kind is PHONE)}{scheme}{locale[:2]}").says("看看名片")
    wang = come(ADMINISTRATOR, **kind, color_scheme=scheme, locale=locale)
    opened(wang, "看看名片")
    wang.page.wait_for_function("() => document.getAnimations().every(each => each.playState !== 'running')")
    assert wang.violations() == []
    width = wang.page.evaluate("() => document.querySelector('#member-card').scrollWidth - innerWidth")
    assert width <= 0
