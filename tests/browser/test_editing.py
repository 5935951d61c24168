"""Editing one's own text: how the edit begins and ends, what is restored, what all pages show, and the message if an
edit is not possible."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor, serving
from tests.browser.line import Line
from tests.browser.pictures import pick, png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
BAR = ".composer-task"
MENU = "#message-menu[open]"


def said(visitor: Visitor, text: str) -> None:
    visitor.say(text)
    visitor.sees(text)


@both_pages
def test_an_edit_shows_for_everybody_in_its_place_and_the_draft_comes_back(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    ming, li = come("小明", **kind), come("莉莉")
    said(ming, "我要三合草莓")
    said(ming, "后面的一句")
    original = int(ming.message("我要三合草莓").get_attribute("data-id") or 0)
    ming.field.fill("一份草稿")
    ming.act("我要三合草莓", "edit")
    expect(ming.page.locator(BAR)).to_contain_text("正在编辑")
    expect(ming.page.locator(BAR)).to_contain_text("我要三合草莓")
    expect(ming.field).to_have_value("我要三合草莓")
    expect(ming.field).to_be_focused()
    expect(ming.page.locator("#composer .send-label")).to_have_text("保存")
    call("莉莉").says("那就三合", reply_to=original)
    li.sees("那就三合")
    ming.say("我要三盒草莓")
    for visitor in (ming, li):
        edited = visitor.page.locator(f"article[data-id='{original}']")
        expect(edited).to_contain_text("我要三盒草莓")
        expect(edited.locator(".message-mark")).to_have_text("已编辑")
        expect(edited.locator(".message-mark")).to_have_attribute("title", re.compile(r"^编辑于 .*\d\d:\d\d:\d\d"))
        expect(visitor.page.locator(visitor.article("我要三合草莓"))).to_have_count(0)
        expect(visitor.message("那就三合").locator(".quote")).to_contain_text("我要三盒草莓")
        following = edited.evaluate("article => article.nextElementSibling.innerText")
        assert "后面的一句" in following
    expect(ming.page.locator(BAR)).to_be_hidden()
    expect(ming.field).to_have_value("一份草稿")
    expect(ming.page.locator("#composer .send-label")).to_have_text("发送")
    ming.field.fill("")


@both_pages
def test_esc_or_the_cross_cancels_and_gives_back_the_draft_and_its_reply(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    call("莉莉").says("要回复的话")
    ming = come("小明", **kind)
    said(ming, "不改的话")
    ming.act("要回复的话", "reply")
    ming.field.fill("写到一半")
    for end in (lambda: ming.page.keyboard.press("Escape"), lambda: ming.page.click(f"{BAR} button")):
        ming.act("不改的话", "edit")
        expect(ming.page.locator(".composer-reply")).to_be_hidden()
        ming.field.fill("改了一半")
        end()
        expect(ming.page.locator(BAR)).to_be_hidden()
        expect(ming.field).to_have_value("写到一半")
        expect(ming.field).to_be_focused()
        expect(ming.page.locator(".composer-reply")).to_contain_text("要回复的话")
    expect(ming.message("不改的话").locator(".message-mark")).to_have_count(0)
    ming.act("不改的话", "edit")
    ming.act("要回复的话", "reply")
    expect(ming.page.locator(BAR)).to_be_hidden()
    expect(ming.field).to_have_value("写到一半")
    ming.page.keyboard.press("Escape")
    ming.field.fill("")


def test_arrow_up_in_an_empty_field_edits_ones_last_text(come: Come) -> None:
    ming, li = come("小明"), come("莉莉")
    said(ming, "上一句")
    said(li, "别人的一句")
    pick(ming, png())
    ming.say("")
    ming.page.locator("#messages article[data-kind=image][data-id]").last.wait_for()
    ming.field.focus()
    ming.page.keyboard.press("ArrowUp")
    expect(ming.field).to_have_value("上一句")
    ming.page.keyboard.press("End")
    ming.page.keyboard.type("改好了")
    ming.page.keyboard.press("Enter")
    li.sees("上一句改好了")
    expect(ming.field).to_have_value("")
    ming.field.fill("不是空的")
    ming.page.keyboard.press("ArrowUp")
    expect(ming.page.locator(BAR)).to_be_hidden()
    ming.field.fill("")


def test_a_draft_survives_a_reload_during_an_edit_and_other_tabs_keep_theirs(come: Come) -> None:
    ming = come("小明")
    said(ming, "正在改的")
    ming.field.fill("我的草稿")
    other = ming.context.new_page()
    other.goto(ming.address)
    expect(other.locator("#composer textarea")).to_have_value("我的草稿")
    ming.act("正在改的", "edit")
    ming.field.fill("改了")
    other.fill("#composer textarea", "另一页里的草稿")
    expect(ming.field).to_have_value("改了")
    ming.page.keyboard.press("Escape")
    expect(ming.field).to_have_value("另一页里的草稿")
    ming.act("正在改的", "edit")
    ming.field.fill("又改了")
    ming.page.reload()
    ming.wait_online()
    expect(ming.field).to_have_value("另一页里的草稿")
    expect(ming.page.locator(BAR)).to_have_count(0)
    expect(other.locator("#composer textarea")).to_have_value("另一页里的草稿")
    ming.field.fill("")


def test_only_ones_own_texts_can_be_edited_not_even_by_an_administrator(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("别人说的")
    wang = come(ADMINISTRATOR)
    pick(wang, png())
    wang.say("带图的")
    wang.sees("带图的")
    for text in ("别人说的", "带图的"):
        wang.message(text).hover()
        wang.message(text).locator("[data-action=menu]").click()
        wang.page.wait_for_selector(MENU)
        expect(wang.page.locator(f"{MENU} [data-action=edit]")).to_have_count(0)
        wang.page.keyboard.press("Escape")


def test_after_the_time_nothing_offers_to_edit_and_one_that_has_begun_says_so(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", edit_seconds="8", send_interval="0") as room:
        visitor = Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), room.address)
        visitor.join("小明")
        said(visitor, "改到一半")
        visitor.act("改到一半", "edit")
        expect(visitor.page.locator(".composer-task-state")).to_have_text("已超过可以编辑的时间，不能再保存")
        visitor.page.keyboard.press("Escape")
        visitor.field.fill("")
        visitor.page.keyboard.press("ArrowUp")
        visitor.message("改到一半").hover()
        visitor.message("改到一半").locator("[data-action=menu]").click()
        visitor.page.wait_for_selector(MENU)
        expect(visitor.page.locator(f"{MENU} [data-action=edit]")).to_have_count(0)
        expect(visitor.page.locator(BAR)).to_be_hidden()
        visitor.context.close()


def mute_unheard(room: RoomProcess, until_ms: int) -> None:
    """The page gets no frame about the mute, which would hide the field, so the server refuses the edit."""
    with closing(sqlite3.connect(room.data_dir / "chat.db")) as connection, connection:
        connection.execute("UPDATE users SET muted_until_ms = ? WHERE name = '小明'", (until_ms,))


def test_a_refused_edit_keeps_the_words(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", send_interval="0") as room:
        visitor = Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), room.address)
        visitor.join("小明")
        said(visitor, "会被拒绝的")
        visitor.act("会被拒绝的", "edit")
        mute_unheard(room, 4_000_000_000_000)
        visitor.say("改过的")
        expect(visitor.page.locator("#toast")).to_contain_text("禁言")
        expect(visitor.field).to_have_value("改过的")
        mute_unheard(room, 0)
        visitor.page.click("#composer [type=submit]")
        visitor.sees("改过的")
        expect(visitor.page.locator(BAR)).to_be_hidden()
        visitor.context.close()


def test_without_a_connection_it_is_said_before_and_saved_after(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")
    said(ming, "断线前说的")
    line.cuts()
    ming.page.wait_for_selector("#connection[data-state=offline]", state="attached")
    ming.act("断线前说的", "edit")
    state = ming.page.locator(".composer-task-state")
    expect(state).to_have_text("没有连接，连上后才能保存")
    ming.field.fill("断线时改的")
    line.mends()
    ming.wait_online()
    expect(state).to_have_text("")
    ming.page.click("#composer [type=submit]")
    expect(ming.message("断线时改的").locator(".message-mark")).to_be_visible()
    expect(ming.page.locator(BAR)).to_be_hidden()


def test_an_edit_that_was_under_way_when_the_connection_went_is_known_to_have_arrived(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")
    said(ming, "途中的旧话")
    line.holds()
    ming.act("途中的旧话", "edit")
    ming.say("途中的新话")
    line.cuts()
    ming.page.wait_for_selector("#connection[data-state=offline]", state="attached")
    expect(ming.field).to_have_value("途中的新话")
    line.mends()
    ming.wait_online()
    ming.sees("途中的新话")
    expect(ming.page.locator(BAR)).to_be_hidden()
    expect(ming.field).to_have_value("")


def test_an_edit_whose_message_goes_is_over(come: Come, call: Call) -> None:
    ming = come("小明")
    said(ming, "会被撤回的")
    ming.field.fill("草稿还在")
    ming.act("会被撤回的", "edit")
    message = {"id": int(ming.message("会被撤回的").get_attribute("data-id") or 0)}
    call(ADMINISTRATOR).recalls(message)
    expect(ming.page.locator(BAR)).to_be_hidden()
    expect(ming.field).to_have_value("草稿还在")
    expect(ming.page.locator("#toast")).to_have_text("这条消息已经不在了，编辑已取消")
    ming.field.fill("")


def test_pictures_wait_for_the_end_of_the_edit(come: Come) -> None:
    ming = come("小明")
    said(ming, "改的时候不加图")
    pick(ming, png())
    expect(ming.page.locator(".attachment")).to_have_count(1)
    ming.act("改的时候不加图", "edit")
    expect(ming.page.locator(".attachment")).to_be_hidden()
    second = {"name": "b.png", "mimeType": "image/png", "buffer": png("navy")}
    ming.page.set_input_files("#composer input[name=image]", second)  # type: ignore[arg-type]
    expect(ming.page.locator("#toast")).to_have_text("先保存或取消编辑，再添加图片")
    ming.say("改好了，没有图")
    ming.sees("改好了，没有图")
    expect(ming.page.locator(".attachment")).to_have_count(1)
    expect(ming.page.locator(".attachment")).to_be_visible()
    assert ming.message("改好了，没有图").locator(".picture").count() == 0


def test_search_a_quote_and_an_open_menu_follow_an_edit(come: Come, call: Call) -> None:
    li = call("莉莉")
    message = li.says("蓝莓一盒二十五")
    ming = come("小明")
    ming.act("蓝莓一盒二十五", "reply")
    ming.page.click("[data-opens=search]")
    ming.page.fill("#search input", "蓝莓")
    expect(ming.page.locator("#search .search-hit").last).to_contain_text("二十五")
    li.sends(f"/edit_message/{message['id']}/", text="蓝莓一盒二十六")
    expect(ming.page.locator("#search .search-hit").last).to_contain_text("二十六")
    ming.page.keyboard.press("Escape")
    expect(ming.page.locator(".composer-reply")).to_contain_text("二十六")
    ming.message("蓝莓一盒二十六").hover()
    ming.message("蓝莓一盒二十六").locator("[data-action=menu]").click()
    ming.page.wait_for_selector(MENU)
    li.sends(f"/edit_message/{message['id']}/", text="蓝莓卖完了")
    ming.page.wait_for_selector(MENU, state="detached")
    ming.page.keyboard.press("Escape")


def test_a_page_that_was_away_has_the_new_words(come: Come, call: Call) -> None:
    li = call("莉莉")
    message = li.says("离线前的旧话")
    ming = come()
    line = Line(ming)
    ming.join("小明")
    ming.sees("离线前的旧话")
    line.cuts()
    li.sends(f"/edit_message/{message['id']}/", text="离线时的新话")
    line.mends()
    ming.sees("离线时的新话")
    expect(ming.page.locator(ming.article("离线前的旧话"))).to_have_count(0)
