"""The acts on a message: four ways to the menu, replies, copying, recalling, deleting, and writing again."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor, serving
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
MENU = "#message-menu[open]"


def actions(visitor: Visitor) -> list[str]:
    visitor.page.wait_for_selector(MENU)
    shown = visitor.page.locator(f"{MENU} [data-action]:not([data-action=react])")
    return [node.get_attribute("data-action") or "" for node in shown.all()]


def seconds(label: str) -> int:
    return int(re.findall(r"\d+", label)[0])


def test_one_menu_by_right_click_by_the_dots_and_by_the_keyboard(come: Come, call: Call) -> None:
    call("莉莉").says("菜单在哪")
    ming = come("小明")
    article = ming.message("菜单在哪")
    article.locator(".bubble").click(button="right")
    first = actions(ming)
    assert first == ["reply", "copy"]
    ming.page.keyboard.press("Escape")
    ming.page.wait_for_selector(MENU, state="detached")
    article.hover()
    article.locator("[data-action=menu]").click()
    assert actions(ming) == first
    ming.page.keyboard.press("Escape")
    ming.field.focus()
    ming.page.keyboard.press("Shift+Tab")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("ArrowUp")
    expect(article).to_be_focused()
    ming.page.keyboard.press("Enter")
    assert actions(ming) == first
    expect(ming.page.locator(f"{MENU} [data-action=reply]")).to_be_focused()
    ming.page.keyboard.press("ArrowDown")
    expect(ming.page.locator(f"{MENU} [data-action=copy]")).to_be_focused()


def test_a_long_press_opens_it_and_lifting_the_finger_presses_nothing(come: Come, call: Call) -> None:
    call("莉莉").says("长按我")
    ming = come("小明", **PHONE)
    box = ming.message("长按我").locator(".bubble").bounding_box()
    assert box
    touch = ming.context.new_cdp_session(ming.page)
    point = {"x": box["x"] + 20, "y": box["y"] + 10}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    ming.page.wait_for_selector(MENU)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert actions(ming) == ["reply", "copy"]
    ming.page.tap(f"{MENU} [data-action=reply]")
    expect(ming.page.locator(".composer-reply")).to_contain_text("长按我")


@both_pages
def test_a_reply_quotes_jumps_to_the_original_and_goes_empty_with_it(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    li = call("莉莉")
    original = li.says("原来的话")
    li.says_many(30, "隔着很多 {}")
    ming = come("小明", **kind)
    ming.page.locator("#messages").evaluate("list => { list.scrollTop = 0; }")
    ming.act("原来的话", "reply")
    expect(ming.page.locator(".composer-reply")).to_contain_text("原来的话")
    ming.say("这是回复")
    ming.sees("这是回复")
    quote = ming.message("这是回复").locator(".quote")
    expect(quote).to_contain_text("莉莉")
    quote.click()
    expect(ming.page.locator(f"article[data-id='{original['id']}']")).to_be_in_viewport()
    expect(ming.page.locator(f"article[data-id='{original['id']}']")).to_be_focused()
    li.recalls(original)
    expect(quote).to_have_text("原消息已撤回")
    assert "原来的话" not in ming.page.inner_text("#messages")


def test_a_message_is_copied(come: Come, call: Call) -> None:
    call("莉莉").says("复制这一句")
    ming = come("小明", permissions=["clipboard-read", "clipboard-write"])
    ming.act("复制这一句", "copy")
    expect(ming.page.locator("#toast")).to_have_text("已复制")
    assert ming.page.evaluate("() => navigator.clipboard.readText()") == "复制这一句"


def test_a_picture_is_saved(come: Come, call: Call) -> None:
    call("莉莉").says("存这张图", image=png())
    ming = come("小明")
    with ming.page.expect_download() as download:
        ming.act("存这张图", "download")
    assert download.value.suggested_filename.endswith(".webp")


def test_the_recall_counts_down_by_the_servers_clock_and_goes_when_it_is_over(
    visit: Come,
) -> None:
    ming = visit()
    ming.page.add_init_script("const real = Date.now; Date.now = () => real() + 600_000;")
    ming.register("小明")
    ming.say("还能撤回")
    ming.sees("还能撤回")
    ming.message("还能撤回").hover()
    ming.message("还能撤回").locator("[data-action=menu]").click()
    item = ming.page.locator(f"{MENU} [data-action=recall]")
    # By the device's own clock the recall window ended ten minutes ago.
    expect(item).to_have_text(re.compile(r"^撤回（([12]?\d|30) 秒内）$"))
    first = item.inner_text()
    expect(item).not_to_have_text(first)
    assert seconds(item.inner_text()) < seconds(first) <= 30


def test_when_the_window_has_closed_nothing_offers_to_recall(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", recall_seconds="1", send_interval="0") as short:
        visitor = Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), short.address)
        visitor.join("小明")
        visitor.say("来不及了")
        visitor.sees("来不及了")
        visitor.message("来不及了").hover()
        visitor.message("来不及了").locator("[data-action=menu]").click()
        visitor.page.wait_for_selector(MENU)
        expect(visitor.page.locator(f"{MENU} [data-action=recall]")).to_have_count(0)
        assert actions(visitor) == ["reply", "edit", "copy", "delete"]
        visitor.context.close()


def test_delete_asks_first(come: Come) -> None:
    ming, li = come("小明"), come("莉莉")
    ming.say("要删掉的")
    li.sees("要删掉的")
    ming.sees("要删掉的")
    ming.act("要删掉的", "delete")
    expect(ming.page.locator("#confirm")).to_contain_text("删除这条消息？")
    ming.page.click("#confirm [value=no]")
    expect(ming.message("要删掉的")).to_be_visible()
    ming.act("要删掉的", "delete")
    ming.page.click("[data-action=confirm]")
    for visitor in (ming, li):
        expect(visitor.page.locator(visitor.article("要删掉的"))).to_have_count(0)


@both_pages
def test_recalled_says_who_and_the_author_may_write_it_again(come: Come, kind: dict[str, object]) -> None:
    ming, li = come("小明", **kind), come("莉莉")
    ming.say("写错的字")
    li.sees("写错的字")
    ming.sees("写错的字")
    ming.act("写错的字", "recall")
    expect(li.page.locator("article[data-state=recalled]").last).to_have_text("小明撤回了一条消息")
    mine = ming.page.locator("article[data-state=recalled]").last
    expect(mine.locator(".notice-text")).to_have_text("你撤回了一条消息")
    ming.field.fill("另一份草稿")
    mine.locator("[data-edit-again]").click()
    expect(ming.page.locator("#confirm")).to_contain_text("要替换吗")
    ming.page.click("#confirm [value=no]")
    expect(ming.field).to_have_value("另一份草稿")
    mine.locator("[data-edit-again]").click()
    ming.page.click("[data-action=confirm]")
    expect(ming.field).to_have_value("写错的字")
    ming.field.fill("")


def test_an_administrator_recalls_for_others_and_all_read_who_it_was(come: Come) -> None:
    ming, wang, li = come("小明"), come(ADMINISTRATOR), come("莉莉")
    ming.say("管理员看着")
    wang.sees("管理员看着")
    li.sees("管理员看着")
    wang.act("管理员看着", "recall")
    expect(li.page.locator("article[data-state=recalled]").last).to_have_text("小王撤回了小明的一条消息")
    expect(ming.page.locator("article[data-state=recalled]").last).to_contain_text("小王撤回了你的一条消息")


def test_search_finds_chinese_by_one_two_or_more_characters_and_english(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("草莓蛋糕 Strawberry Cake")
    li.says_many(120, "别的 {}")
    ming = come("小明")
    for words in ("莓", "草莓", "草莓蛋糕", "strawberry"):
        ming.page.click("[data-opens=search]")
        ming.page.fill("#search [name=q]", words)
        hit = ming.page.locator("#search .search-hit")
        expect(hit).to_have_count(1)
        expect(hit.locator("mark")).to_have_text(re.compile(words, re.I))
        hit.click()
        expect(ming.page.locator("#search")).to_be_hidden()
        expect(ming.message("草莓蛋糕")).to_be_in_viewport()
        expect(ming.message("草莓蛋糕")).to_be_focused()
    ming.page.click("[data-opens=search]")
    ming.page.fill("#search [name=q]", "没有这个")
    expect(ming.page.locator("#search .search-state")).to_have_text("没有找到“没有这个”")
