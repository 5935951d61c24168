"""The notice above the conversation: published on the page, folded by each reader, shown again when it changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
BAND, EDITOR = "#notice", "#notice-editor[open]"
LONG = "\n".join(f"第 {n} 行：周五下午三点在小区东门取货" for n in range(1, 9))


@pytest.fixture(autouse=True)
def without_a_notice(hall: RoomProcess) -> Iterator[None]:
    """Remove the notice after each test, because all tests of this file share the room."""
    yield
    Caller(hall.address, ADMINISTRATOR).sends("/notice/", text="")


def open_editor(visitor: Visitor) -> None:
    visitor.page.click("[data-opens=own-menu]:visible")
    visitor.page.click("#own-menu [data-opens=notice-editor]")
    visitor.page.wait_for_selector(EDITOR)


@both_pages
def test_an_administrator_pins_changes_and_takes_down_and_all_pages_follow(come: Come, kind: dict[str, object]) -> None:
    wang, ming, guest = come(ADMINISTRATOR, **kind), come("小明", **kind), come(**kind)
    guest.open_room()
    for visitor in (wang, ming, guest):
        expect(visitor.page.locator(BAND)).to_be_hidden()
    open_editor(wang)
    wang.page.fill(f"{EDITOR} textarea", "周五三点取货 https://example.com/map @小明")
    expect(wang.page.locator(f"{EDITOR} [data-take-down]")).to_be_hidden()
    wang.page.click(f"{EDITOR} [type=submit]")
    wang.page.wait_for_selector(EDITOR, state="detached")
    for visitor in (wang, ming, guest):
        band = visitor.page.locator(BAND)
        expect(band.locator(".message-text")).to_have_text("周五三点取货 https://example.com/map @小明")
        expect(band.locator("a")).to_have_attribute("rel", "noopener nofollow ugc")
        expect(band.locator(".pinned-by bdi")).to_have_text(ADMINISTRATOR)
        expect(band.locator(".pinned-by time")).to_contain_text("今天")
    expect(ming.page.locator(f"{BAND} mark")).to_have_text("@小明")
    expect(ming.page.locator(f"{BAND} [data-opens=notice-editor]")).to_have_count(0)
    wang.page.click(f"{BAND} [data-opens=notice-editor]")
    wang.page.wait_for_selector(EDITOR)
    expect(wang.page.locator(f"{EDITOR} textarea")).to_have_value("周五三点取货 https://example.com/map @小明")
    wang.page.fill(f"{EDITOR} textarea", "改到四点")
    wang.page.click(f"{EDITOR} [type=submit]")
    for visitor in (wang, ming, guest):
        expect(visitor.page.locator(f"{BAND} .message-text")).to_have_text("改到四点")
    open_editor(wang)
    wang.page.click(f"{EDITOR} [data-take-down]")
    for visitor in (wang, ming, guest):
        expect(visitor.page.locator(BAND)).to_be_hidden()


@both_pages
def test_a_reader_folds_it_and_this_browser_keeps_that_until_it_changes(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    wang = call(ADMINISTRATOR)
    wang.sends("/notice/", text=LONG)
    ming = come("小明", **kind)
    band = ming.page.locator(BAND)
    text, line = band.locator(".message-text"), band.locator(".pinned-line")
    height = text.evaluate("text => text.clientHeight / parseFloat(getComputedStyle(text).lineHeight)")
    assert round(height) == 2
    band.get_by_role("button", name="显示全部").click()
    expect(band.locator(".pinned-text")).to_be_focused()
    assert text.evaluate("text => text.clientHeight / parseFloat(getComputedStyle(text).lineHeight)") > 7
    expect(band.get_by_role("button", name="显示全部")).to_be_hidden()
    band.get_by_role("button", name="收起").click()
    expect(text).to_be_hidden()
    expect(line).to_contain_text("第 1 行")
    expect(line).to_be_focused()
    ming.page.reload()
    ming.wait_online()
    expect(line).to_be_visible()
    expect(text).to_be_hidden()
    ming.page.keyboard.press("Escape")
    line.focus()
    ming.page.keyboard.press("Enter")
    expect(text).to_be_visible()
    band.get_by_role("button", name="收起").click()
    wang.sends("/notice/", text="短了")
    expect(text).to_have_text("短了")
    expect(text).to_be_visible()
    expect(band.get_by_role("button", name="显示全部")).to_be_hidden()
    ming.page.reload()
    ming.wait_online()
    expect(text).to_be_visible()


def test_it_is_a_named_region_and_a_new_one_is_read_out_once(come: Come, call: Call) -> None:
    call(ADMINISTRATOR).sends("/notice/", text="第一份")
    ming = come("小明")
    region = ming.page.get_by_role("region", name="置顶通知")
    expect(region).to_contain_text("第一份")
    announcer = ming.page.locator("#announcer")
    expect(announcer).to_have_attribute("role", "status")
    expect(announcer).to_have_text("置顶通知 · 第一份")
    ming.page.reload()
    ming.wait_online()
    expect(region).to_contain_text("第一份")
    expect(announcer).to_have_text("")
    call(ADMINISTRATOR).sends("/notice/", text="第二份")
    expect(announcer).to_have_text("置顶通知 · 第二份")


def test_a_reader_who_follows_stays_at_the_end_when_it_appears(come: Come, call: Call) -> None:
    call("莉莉").says_many(40, "很长的历史 {}")
    ming = come("小明")
    ming.sees("很长的历史 40")
    call(ADMINISTRATOR).sends("/notice/", text=LONG)
    expect(ming.page.locator(BAND)).to_be_visible()
    expect(ming.message("很长的历史 40")).to_be_in_viewport()
    ming.until(
        lambda: ming.page.locator("#messages").evaluate(
            "list => list.scrollHeight - list.scrollTop - list.clientHeight < 2"
        )
    )


@both_pages
def test_without_a_script_it_stands_above_the_messages_whole(come: Come, call: Call, kind: dict[str, object]) -> None:
    call("莉莉").says("不用脚本也看得到")
    call(ADMINISTRATOR).sends("/notice/", text=LONG)
    reader = come(**kind, java_script_enabled=False)
    reader.page.goto(reader.address)
    band, message = reader.page.locator("section.pinned:visible"), reader.page.locator(".plain p").last
    expect(band).to_contain_text("第 8 行")
    box, below = band.bounding_box(), reader.page.locator(".plain").bounding_box()
    assert box and below and box["y"] + box["height"] <= below["y"] + 1
    expect(message).to_be_in_viewport()


def test_what_cannot_be_pinned_stays_in_the_dialog(come: Come, call: Call) -> None:
    wang = come(ADMINISTRATOR)
    open_editor(wang)
    wang.page.evaluate("() => document.querySelector('#notice-editor textarea').removeAttribute('maxlength')")
    wang.page.fill(f"{EDITOR} textarea", "长" * 501)
    wang.page.click(f"{EDITOR} [type=submit]")
    expect(wang.page.locator("#toast")).to_contain_text("500")
    expect(wang.page.locator(f"{EDITOR} textarea")).to_have_value("长" * 501)
    wang.complaints.clear()  # clear the browser's line about the refusal
