"""The composer: keys and input methods, drafts, the interval, pictures, the counter, emoji."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.input_method import InputMethod
from tests.browser.pictures import drop, noise, paste, pick, png

Come = Callable[..., Visitor]
SETTINGS = {"text_max": "60"}
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def test_enter_sends_and_shift_enter_is_a_new_line(come: Come) -> None:
    ming = come("小明")
    ming.field.press_sequentially("第一行")
    ming.field.press("Shift+Enter")
    ming.field.press_sequentially("第二行")
    assert ming.field.input_value() == "第一行\n第二行"
    ming.field.press("Enter")
    ming.sees("第二行")
    assert ming.field.input_value() == ""
    assert "第一行\n第二行" in ming.message("第一行").inner_text()


def test_on_touch_enter_is_a_new_line_and_send_is_a_button(come: Come) -> None:
    ming = come("小明", **PHONE)
    ming.field.press_sequentially("手机上")
    ming.field.press("Enter")
    ming.field.press_sequentially("换行了")
    assert ming.field.input_value() == "手机上\n换行了"
    ming.page.tap("#composer [type=submit]")
    ming.sees("换行了")


def test_half_sent_words_enter_never_sends_while_an_input_method_composes(come: Come) -> None:
    """The first version of the page sent "nihao" when Enter chose 你好."""
    ming = come("小明")
    keyboard = InputMethod(ming)
    before = ming.page.locator("#messages article").count()
    # The browser answers before the page gets the composition event, so wait for the text in the field.
    keyboard.composes("ni'hao")
    expect(ming.field).to_have_value("ni'hao")
    keyboard.presses_enter()
    keyboard.composes("ni'hao")
    keyboard.presses_enter()
    keyboard.commits("你好输入法")
    expect(ming.field).to_have_value("你好输入法")
    assert ming.page.locator("#messages article").count() == before
    ming.field.press("Enter")
    ming.sees("你好输入法")
    assert "ni'hao" not in ming.page.inner_text("#messages")


def test_safari_tells_of_the_key_after_the_composition_and_still_nothing_is_sent(come: Come) -> None:
    ming = come("小明")
    ming.field.fill("刚选的词")
    before = ming.page.locator("#messages article").count()
    ming.field.evaluate(
        """field => field.dispatchEvent(
            new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"""
    )
    assert ming.field.input_value() == "刚选的词"
    assert ming.page.locator("#messages article").count() == before


@both_pages
def test_the_field_grows_to_six_lines_and_then_scrolls(come: Come, kind: dict[str, object]) -> None:
    ming = come("小明", **kind)
    heights = []
    for lines in (1, 3, 6, 9):
        ming.field.fill("\n".join("字" * 2 for _ in range(lines)))
        heights.append(ming.field.evaluate("field => field.clientHeight"))
    assert heights[0] < heights[1] < heights[2]
    assert heights[3] <= heights[2] + 1
    assert ming.field.evaluate("field => field.scrollHeight > field.clientHeight")


def test_a_lost_draft_no_more_it_survives_a_reload_and_is_its_members_own(come: Come) -> None:
    ming = come("小明")
    ming.field.fill("还没写完")
    ming.page.reload()
    ming.wait_online()
    expect(ming.field).to_have_value("还没写完")
    ming.page.goto(f"{ming.address}/logout/")
    ming.page.click("main button")
    ming.page.wait_for_url("**/login/")
    ming.context.clear_cookies()
    ming.join("莉莉")
    expect(ming.field).to_have_value("")
    ming.context.clear_cookies()
    ming.join("小明")
    expect(ming.field).to_have_value("还没写完")
    ming.page.click("#composer [type=submit]")
    ming.sees("还没写完")
    ming.page.reload()
    ming.wait_online()
    expect(ming.field).to_have_value("")


def test_the_interval_runs_down_on_the_button_and_no_word_is_lost(visit: Come, room: RoomProcess) -> None:
    ming = visit()
    ming.register("小明")
    alerts: list[str] = []
    ming.page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    for text in ("第一句", "第二句", "第三句"):
        ming.say(text)
    expect(ming.page.locator("#composer .send-label")).to_have_text(re.compile(r"^\d\.\d 秒$"))
    expect(ming.page.locator("#composer .send")).to_have_attribute("title", re.compile("还要等"))
    for text in ("第一句", "第二句", "第三句"):
        ming.sees(text)
    texts = ming.page.locator("#messages article[data-id] .message-text").all_inner_texts()
    assert texts == ["第一句", "第二句", "第三句"]
    expect(ming.page.locator("#composer .send-label")).to_have_text("发送")
    assert alerts == []


def test_several_pictures_are_picked_pasted_and_dropped_and_each_can_be_taken_away(come: Come) -> None:
    ming, li = come("小明"), come("莉莉")
    pick(ming, png("tomato"), png("gold"))
    paste(ming)
    drop(ming)
    drop(ming, ".room-people")
    previews = ming.page.locator(".attachments img")
    expect(previews).to_have_count(5)
    ming.page.locator(".attachments button").nth(2).click()
    ming.page.locator(".attachments button").nth(2).click()
    expect(previews).to_have_count(3)
    ming.field.fill("三张图")
    ming.field.press("Enter")
    expect(previews).to_have_count(0)
    ming.sees("三张图")
    pictures = "#messages article[data-id][data-state=live] img[src*='/media/images/']"
    expect(li.page.locator(pictures)).to_have_count(3)
    # The text is in the first picture's message.
    expect(li.message("三张图").locator("img[src*='/media/images/']")).to_have_count(1)


def test_what_is_not_a_picture_is_refused_in_words(come: Come) -> None:
    ming = come("小明")
    ming.page.set_input_files(
        "#composer input[name=image]", {"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"}
    )
    expect(ming.page.locator("#toast")).to_contain_text("不是图片")
    expect(ming.page.locator(".attachments li")).to_have_count(0)


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(come: Come) -> None:
    ming = come("小明")
    session = ming.context.new_cdp_session(ming.page)
    session.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    session.send("Network.emulateNetworkConditions", slow)
    pick(ming, noise())
    ming.field.press("Enter")
    bar = ming.page.locator("#messages article[data-state=pending] progress")
    expect(bar).to_be_visible()
    expect(ming.page.locator("#messages .upload-part")).to_have_text(re.compile(r"^[1-9]\d?%$"))
    assert 0 < float(bar.evaluate("bar => bar.value")) < 1
    ming.page.click("#messages article[data-state=pending] [data-unsent=discard]")
    expect(bar).to_have_count(0)
    session.send("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    ming.say("取消以后")
    ming.sees("取消以后")


def test_a_picture_that_was_refused_says_why_and_can_be_tried_again(come: Come) -> None:
    ming = come("小明")
    refusal = '{"error": {"code": "image_unreadable", "message": "图片无法打开"}}'

    def refuse(route: Route) -> None:
        route.fulfill(status=400, content_type="application/json", body=refusal)

    ming.page.route("**/post/", refuse)
    pick(ming, png("plum"))
    ming.field.fill("再试一次的图")
    ming.field.press("Enter")
    failed = ming.page.locator('#messages article[data-state=failed]:has-text("再试一次的图")')
    expect(failed).to_contain_text("图片无法打开")
    ming.page.unroute("**/post/")
    failed.locator("[data-unsent=retry]").click()
    ming.sees("再试一次的图")
    ming.complaints.clear()  # clear the browser's line about the refusal


@both_pages
def test_a_counter_appears_near_the_limit_and_nothing_too_long_goes(come: Come, kind: dict[str, object]) -> None:
    ming = come("小明", **kind)
    counter = ming.page.locator("#composer .counter")
    ming.field.fill("字" * 50)
    expect(counter).to_be_hidden()
    ming.field.fill("🍓" * 58)
    expect(counter).to_have_text("2")
    ming.field.fill("字" * 63)
    expect(counter).to_have_text("-3")
    ming.page.click("#composer [type=submit]")
    expect(ming.page.locator("#toast")).to_have_text("最多 60 个字")
    assert ming.field.input_value() == "字" * 63
    ming.field.fill("")


@both_pages
def test_the_emoji_panel_puts_one_where_the_caret_is(come: Come, kind: dict[str, object]) -> None:
    ming = come("小明", **kind)
    ming.field.fill("好的")
    if kind is PHONE:
        ming.page.tap("[data-opens=plus]")
    ming.page.click("[data-opens=emoji]:visible")
    panel = ming.page.locator("#emoji .emoji-panel button")
    expect(panel.first).to_be_visible()
    assert 20 <= panel.count() <= 60
    ming.page.click('#emoji button:has-text("👍")')
    expect(ming.field).to_have_value("好的👍")
    expect(ming.page.locator("#emoji")).to_be_hidden()
    ming.field.fill("")
