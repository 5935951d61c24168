"""A muted member sees the end of the mute in place of the field, which comes back by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])

SHANGHAI = timezone(timedelta(hours=8))


def mute(call: Call, name: str, seconds: int = 600) -> str:
    """Mute the member. Returns the end of the mute as the page shows it."""
    answer = call(ADMINISTRATOR).sends(f"/members/{call(name).user['id']}/", act="mute", seconds=seconds)
    until = datetime.fromtimestamp(answer["member"]["muted_until_ms"] / 1000, UTC).astimezone(SHANGHAI)
    return until.strftime("%H:%M")


def unmute(call: Call, name: str) -> None:
    call(ADMINISTRATOR).sends(f"/members/{call(name).user['id']}/", act="unmute")


def words(visitor: Visitor) -> Locator:
    return visitor.page.locator(".composer-muted")


@both_pages
def test_the_field_gives_way_while_the_page_is_open_and_comes_back_with_the_draft(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    name = f"张{'三' if kind is PHONE else '四'}"
    zhang = come(name, **kind)
    zhang.field.fill("写了一半")
    zhang.field.focus()
    end = mute(call, name)
    expect(words(zhang)).to_contain_text(end)
    expect(words(zhang)).to_contain_text("你被禁言到")
    expect(zhang.field).to_be_hidden()
    expect(words(zhang)).to_be_focused()
    expect(zhang.page.locator("#toast")).to_contain_text(f"你被禁言到 {end}")
    assert zhang.violations() == []
    unmute(call, name)
    expect(words(zhang)).to_be_hidden()
    expect(zhang.field).to_have_value("写了一半")
    expect(zhang.field).to_be_focused()
    expect(zhang.page.locator("#toast")).to_have_text("你的禁言已解除")
    zhang.say("又能说了")
    zhang.sees("又能说了")


def test_an_edit_that_was_under_way_goes_on_afterwards(come: Come, call: Call) -> None:
    qian = come("钱三")
    qian.say("还没改")
    qian.sees("还没改")
    qian.act("还没改", "edit")
    qian.field.fill("改过的")
    mute(call, "钱三")
    expect(words(qian)).to_be_visible()
    unmute(call, "钱三")
    expect(qian.field).to_have_value("改过的")
    qian.page.click("#composer [type=submit]")
    qian.sees("改过的")


@both_pages
def test_a_page_that_is_opened_says_it_from_the_start_and_keeps_the_draft(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    name = f"李{'三' if kind is PHONE else '四'}"
    li = come(name, **kind)
    li.field.fill("先放着")
    end = mute(call, name)
    expect(words(li)).to_be_visible()
    li.page.reload()
    li.wait_online()
    expect(words(li)).to_contain_text(end)
    expect(li.field).to_be_hidden()
    li.page.keyboard.press("Escape")
    unmute(call, name)
    expect(li.field).to_have_value("先放着")


@both_pages
def test_it_ends_by_itself_by_the_clock_of_the_page(come: Come, call: Call, kind: dict[str, object]) -> None:
    name = f"王{'三' if kind is PHONE else '四'}"
    call(name)
    mute(call, name, seconds=3)
    wang = come(name, **kind)
    expect(wang.field).to_be_visible()
    expect(words(wang)).to_be_hidden()
    wang.say("时间到了")
    wang.sees("时间到了")


def test_what_happened_while_the_page_was_offline_is_known_afterwards(come: Come, call: Call) -> None:
    zhao = come("赵三")
    zhao.context.set_offline(True)
    expect(zhao.page.locator("#connection")).to_have_attribute("data-state", "offline")
    mute(call, "赵三")
    zhao.context.set_offline(False)
    expect(words(zhao)).to_be_visible()
    zhao.complaints.clear()  # clear the error of the lost connection


@both_pages
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_it_is_said_without_javascript(come: Come, call: Call, kind: dict[str, object], locale: str) -> None:
    call("孙三")
    end = mute(call, "孙三")
    visitor = come(**kind, java_script_enabled=False, locale=locale)
    visitor.context.add_cookies(call("孙三").cookies())
    visitor.page.goto(visitor.address)
    expect(words(visitor)).to_contain_text("你被禁言到" if locale == "zh-CN" else "You are muted until")
    expect(words(visitor)).to_contain_text(end)
    expect(visitor.page.locator("#composer textarea, #composer [type=submit]").first).to_be_hidden()
    unmute(call, "孙三")
    visitor.page.reload()
    expect(words(visitor)).to_be_hidden()
    expect(visitor.field).to_be_visible()


@both_pages
def test_nothing_that_would_be_refused_is_offered_elsewhere(come: Come, call: Call, kind: dict[str, object]) -> None:
    name = f"周{'三' if kind is PHONE else '四'}"
    call("莉莉").says("可以回复吗")
    own = f"{name}自己的话"
    call(name).says(own)
    mute(call, name)
    zhou = come(name, **kind)
    zhou.message("可以回复吗").locator(".message-face > *").click()
    expect(zhou.page.locator("#member-card[open]").get_by_role("heading")).to_have_text("莉莉")
    expect(zhou.page.locator("[data-mention]")).to_have_count(0)
    zhou.page.keyboard.press("Escape")
    message = zhou.message(own)
    message.hover()
    message.locator("[data-action=menu]").click()
    expect(zhou.page.locator("#message-menu [data-action=recall]")).to_be_visible()
    expect(zhou.page.locator("#message-menu :is([data-action=reply], [data-action=edit], [data-emoji])")).to_have_count(
        0
    )


@both_pages
def test_the_order_sheet_says_it_too(come: Come, call: Call, kind: dict[str, object]) -> None:
    name = f"吴{'三' if kind is PHONE else '四'}"
    call(ADMINISTRATOR).presets("start", seconds=300, items=[{"name": "蓝莓"}])
    wu = come(name, **kind)
    expect(wu.page.locator("[data-my-orders]")).to_be_visible()
    expect(wu.page.locator("[data-place-order]")).to_be_visible()
    mute(call, name)
    expect(wu.page.locator("#order-button")).to_be_hidden()
    expect(wu.page.locator("[data-place-order]")).to_be_hidden()
    wu.page.click("[data-my-orders]")
    sheet = wu.page.locator("#order[open]")
    expect(sheet).to_contain_text("现在不能下单")
    sheet.locator("[data-step='1']").first.click()
    expect(sheet.locator("[type=submit]")).to_be_disabled()
    call(ADMINISTRATOR).presets("stop")


def test_a_muted_administrator_is_offered_no_presets(come: Come, call: Call) -> None:
    answer = call(ADMINISTRATOR).sends(f"/members/{call('副店长').user['id']}/", act="promote")
    assert answer["member"]["role"] == "administrator"
    other = come("副店长")
    expect(other.page.locator("[data-presets]")).to_be_visible()
    mute(call, "副店长")
    expect(other.page.locator("[data-presets]")).to_be_hidden()
    unmute(call, "副店长")
    expect(other.page.locator("[data-presets]")).to_be_visible()
