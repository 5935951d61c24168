"""Reactions, mentions, and the lists of members who type and who are online."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Route, expect

from chatserver.features.accounts.name_search import initials
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor
from tests.browser.input_method import InputMethod
from tests.browser.line import Line
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def react(visitor: Visitor, text: str, emoji: str) -> None:
    visitor.message(text).hover()
    visitor.message(text).locator("[data-action=menu]").click()
    visitor.page.click(f'#message-menu [data-emoji="{emoji}"]')


def reactions(visitor: Visitor, text: str) -> Locator:
    return visitor.message(text).locator(".reaction")


@both_pages
def test_six_emoji_are_counted_and_toggled_for_all(come: Come, call: Call, kind: dict[str, object]) -> None:
    call("阿强").says(f"觉得怎么样 {kind is PHONE}")
    text = f"觉得怎么样 {kind is PHONE}"
    ming, li = come("小明", **kind), come("莉莉")
    ming.message(text).hover()
    ming.message(text).locator("[data-action=menu]").click()
    row = ming.page.locator("#message-menu [data-emoji]")
    expect(row).to_have_text(["👍", "❤️", "😂", "😮", "😢", "🎉"])
    row.first.click()
    expect(reactions(li, text)).to_have_text("👍1")
    expect(reactions(ming, text)).to_have_attribute("aria-pressed", "true")
    expect(reactions(li, text)).to_have_attribute("aria-pressed", "false")
    reactions(li, text).click()
    for visitor in (ming, li):
        expect(reactions(visitor, text)).to_have_text("👍2")
        expect(reactions(visitor, text)).to_have_attribute("title", "小明、莉莉")
    react(li, text, "🎉")
    expect(reactions(ming, text)).to_have_count(2)
    reactions(ming, text).first.click()
    expect(reactions(li, text).first).to_have_text("👍1")
    expect(reactions(li, text).first).to_have_attribute("title", "莉莉")
    ming.page.reload()
    ming.wait_online()
    expect(reactions(ming, text)).to_have_text(["👍1", "🎉1"])


def test_a_reaction_is_no_news_and_moves_nothing(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("带图的", image=png())
    ming, wang = come("小明"), come("老王")
    picture = ming.message("带图的").locator(".picture img")
    picture.evaluate("node => { node.same = true; }")
    ming.hides()
    title = ming.page.title()
    react(wang, "带图的", "😂")
    expect(reactions(ming, "带图的")).to_have_text("😂1")
    assert ming.page.title() == title
    assert picture.evaluate("node => node.same === true"), "the picture was loaded again"
    expect(ming.page.locator("#newest")).to_be_hidden()


def test_a_reaction_to_a_message_above_the_oldest_page_leaves_no_gap(come: Come, call: Call) -> None:
    li = call("莉莉")
    first = li.says("最早的那句")
    li.says_many(140, "中间 {}")
    ming, wang = come("小明"), come()
    line = Line(wang)
    wang.join("老王")
    wang.page.wait_for_function("() => document.querySelectorAll('#messages article').length > 50")
    react_to_first = {"type": "react", "id": first["id"], "emoji": "👍", "on": True}
    line.sent.clear()
    ming.page.evaluate(
        """frame => new Promise(done => {
            const socket = new WebSocket(`ws://${location.host}/ws/chat/`);
            socket.onopen = () => socket.send(JSON.stringify(frame));
            socket.onmessage = ({data}) => JSON.parse(data).type === 'reactions' && (socket.close(), done());
        })""",
        react_to_first,
    )

    def has_scrolled_up_to_it() -> bool:
        wang.page.evaluate("() => { document.querySelector('#messages').scrollTop = 0; }")
        return wang.page.locator(f"article[data-id='{first['id']}']").count() == 1

    wang.until(has_scrolled_up_to_it)
    expect(reactions(wang, "最早的那句")).to_have_text("👍1")
    shown = wang.page.evaluate("() => [...document.querySelectorAll('#messages article')].map(a => +a.dataset.id)")
    assert shown[shown.index(first["id"]) :][:100] == list(range(first["id"], first["id"] + 100))


def test_the_row_of_emoji_and_the_counts_are_reached_by_keyboard(come: Come, call: Call) -> None:
    call("莉莉").says("只用键盘")
    ming = come("小明")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("ArrowUp")
    ming.page.keyboard.press("Enter")
    expect(ming.page.locator("#message-menu [data-action=reply]")).to_be_focused()
    ming.page.keyboard.press("ArrowUp")
    expect(ming.page.locator('#message-menu [data-emoji="👍"]')).to_be_focused()
    ming.page.keyboard.press("ArrowRight")
    expect(ming.page.locator('#message-menu [data-emoji="❤️"]')).to_be_focused()
    ming.page.keyboard.press("Enter")
    expect(reactions(ming, "只用键盘")).to_have_text("❤️1")
    ming.message("只用键盘").focus()
    reactions(ming, "只用键盘").focus()
    ming.page.keyboard.press("Enter")
    expect(reactions(ming, "只用键盘")).to_have_count(0)
    expect(ming.message("只用键盘")).to_be_focused()


def test_a_long_press_on_a_count_tells_the_names_and_toggles_nothing(come: Come, call: Call) -> None:
    call("莉莉").says("谁点的")
    ming, phone = come("小明"), come("手机上的人", **PHONE)
    react(ming, "谁点的", "👍")
    box = reactions(phone, "谁点的").bounding_box()
    assert box
    assert box["height"] >= 44 and box["width"] >= 44
    touch = phone.context.new_cdp_session(phone.page)
    point = {"x": box["x"] + 10, "y": box["y"] + 10}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(phone.page.locator("#toast")).to_have_text("👍 小明")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(reactions(phone, "谁点的")).to_have_text("👍1")


def test_a_guest_sees_the_counts_and_a_press_tells_the_names(come: Come, call: Call) -> None:
    call("莉莉").says("游客看看")
    ming, guest = come("小明"), come()
    react(ming, "游客看看", "🎉")
    guest.open_room()
    reactions(guest, "游客看看").click()
    expect(guest.page.locator("#toast")).to_have_text("🎉 小明")


@both_pages
@pytest.mark.parametrize("at", ["@", "＠"])
def test_names_are_offered_after_an_at_also_by_the_initials_of_their_pinyin(
    come: Come, call: Call, kind: dict[str, object], at: str
) -> None:
    for name in ("张三", "李四", "欧阳锋"):
        call(name).says(f"我是{name}")
    ming = come("小明", **kind)
    offered = ming.page.locator("#mentions [role=option]")
    ming.field.press_sequentially(f"你好{at}zs")
    expect(offered).to_have_text(["张三"])
    expect(ming.field).to_have_attribute("aria-activedescendant", re.compile("mention-0"))
    ming.field.press("Enter")
    expect(ming.field).to_have_value("你好@张三 ")
    expect(ming.page.locator("#mentions")).to_be_hidden()
    ming.field.fill("")
    ming.field.press_sequentially(f"{at}oyf")
    expect(offered).to_have_text(["欧阳锋"])
    ming.field.fill("")
    ming.field.press_sequentially(f"{at}李")
    expect(offered).to_have_text(["李四"])
    offered.first.click()
    expect(ming.field).to_have_value("@李四 ")
    expect(ming.field).to_be_focused()
    ming.field.fill("")


def test_a_name_begun_before_the_feature_was_loaded_is_offered(come: Come, call: Call) -> None:
    call("赵六").says("我是赵六")
    ming = come("小明")
    held: list[Route] = []
    ming.page.route("**/js/features/mention.js", lambda route: held.append(route))
    with ming.page.expect_request("**/js/features/mention.js"):
        ming.page.reload()
        ming.wait_online()
    ming.field.press_sequentially("@zl")
    for route in held:
        route.continue_()
    expect(ming.page.locator("#mentions [role=option]")).to_have_text(["赵六"])
    ming.field.fill("")


def test_arrows_choose_escape_puts_away_and_an_address_offers_nothing(come: Come, call: Call) -> None:
    for name in ("王一", "王二"):
        call(name).says(f"我是{name}")
    ming = come("小明")
    offered = ming.page.locator("#mentions [role=option]")
    ming.field.press_sequentially("@王")
    expect(offered).to_have_count(2)
    second = offered.nth(1).inner_text()
    ming.field.press("ArrowDown")
    ming.field.press("Tab")
    expect(ming.field).to_have_value(f"@{second} ")
    ming.field.fill("")
    ming.field.press_sequentially("@王")
    expect(offered).to_have_count(2)
    ming.field.press("Escape")
    expect(ming.page.locator("#mentions")).to_be_hidden()
    ming.field.fill("")
    ming.field.press_sequentially("me@w")
    expect(ming.page.locator("#mentions")).to_be_hidden()
    ming.field.fill("")


def test_while_an_input_method_composes_the_offer_takes_no_key(come: Come, call: Call) -> None:
    call("张三").says("我是张三")
    ming = come("小明")
    ming.field.press_sequentially("@")
    expect(ming.page.locator("#mentions [role=option]").first).to_be_visible()
    keyboard = InputMethod(ming)
    before = ming.page.locator("#messages article").count()
    keyboard.composes("zhang")
    keyboard.presses_enter()
    expect(ming.field).to_have_value("@zhang")
    keyboard.commits("张")
    expect(ming.field).to_have_value("@张")
    expect(ming.page.locator("#mentions [role=option]")).to_have_text(["张三"])
    ming.field.press("Enter")
    expect(ming.field).to_have_value("@张三 ")
    assert ming.page.locator("#messages article").count() == before
    ming.field.fill("")


def test_a_mention_is_marked_for_the_one_meant_alone(come: Come, call: Call) -> None:
    ming, li = come("小明"), come("莉莉")
    call("小明明").says("我名字更长")
    wang = call("老王")
    wang.says("＠小明 你的草莓到了")
    ming.sees("你的草莓到了")
    li.sees("你的草莓到了")
    expect(ming.message("你的草莓到了").locator("mark.mention")).to_have_text("＠小明")
    assert li.message("你的草莓到了").locator("mark").count() == 0
    wang.says("@小明明 这句是叫别人的")
    ming.sees("这句是叫别人的")
    assert ming.message("这句是叫别人的").locator("mark").count() == 0


@both_pages
def test_an_administrators_all_means_everybody_and_a_members_nobody(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    text = f"@所有人 开会了 {kind is PHONE}"
    ming, guest = come("小明", **kind), come(**kind)
    guest.open_room()
    ming.hides()
    call("莉莉").says(f"@all 都来 {kind is PHONE}")
    ming.sees(f"@all 都来 {kind is PHONE}")
    assert ming.message(f"@all 都来 {kind is PHONE}").locator("mark").count() == 0
    expect(ming.page).to_have_title(re.compile(r"^\(1\)"))
    call(ADMINISTRATOR).says(text)
    for visitor in (ming, guest):
        visitor.sees(text)
        expect(visitor.message(text).locator("mark.mention")).to_have_text("@所有人")
    expect(ming.page).to_have_title(re.compile(r"^\(@2\)"))
    ming.hides(False)
    call(ADMINISTRATOR).says(f"＠ALL 再来 @alles {kind is PHONE}")
    expect(ming.message("再来").locator("mark.mention")).to_have_text("＠ALL")


def test_only_administrators_are_offered_all(come: Come) -> None:
    wang, ming = come(ADMINISTRATOR), come("小明")
    wang.field.press_sequentially("@syr")
    expect(wang.page.locator("#mentions [role=option]")).to_have_text(["所有人"])
    wang.field.press("Enter")
    expect(wang.field).to_have_value("@所有人 ")
    wang.field.fill("")
    with ming.page.expect_response(re.compile("/api/names/")):
        ming.field.press_sequentially("@syr")
    expect(ming.page.locator("#mentions")).to_be_hidden()
    ming.field.fill("")


@both_pages
def test_members_who_are_not_here_are_offered_too(come: Come, call: Call, kind: dict[str, object]) -> None:
    for name in ("远方来客", "罗若云"):
        call(name)
    ming = come("小明", **kind)
    offered = ming.page.locator("#mentions [role=option]")
    for typed, name in (("yflk", "远方来客"), ("lry", "罗若云"), ("若", "罗若云")):
        ming.field.fill("")
        ming.field.press_sequentially(f"@{typed}")
        expect(offered).to_have_text([name])
    ming.field.press("Enter")
    expect(ming.field).to_have_value("@罗若云 ")
    ming.field.fill("")


def test_an_answer_that_comes_late_opens_nothing(come: Come, call: Call) -> None:
    call("远方来客")
    ming = come("小明")
    held: list[Route] = []
    ming.page.route(re.compile("/api/names/"), lambda route: held.append(route))
    ming.field.press_sequentially("@yf")
    ming.until(lambda: held)
    ming.field.press_sequentially(" ")
    with ming.page.expect_response(re.compile("/api/names/")):
        held[0].continue_()
    ming.page.evaluate("() => new Promise((done) => setTimeout(done))")
    expect(ming.page.locator("#mentions")).to_be_hidden()
    ming.field.fill("")


def test_the_page_and_the_server_know_the_same_initials(come: Come) -> None:
    ming = come("小明")
    characters = "".join(map(chr, range(0x4E00, 0xA000, 7)))
    found = ming.page.evaluate(
        """async (characters) => {
            const version = /\\/static\\/[^/]+\\//.exec(document.querySelector('link[rel=modulepreload]').href)[0];
            const { namesFor } = await import(`${version}js/models/mention.js`);
            const letters = [..."abcdefghjklmnopqrstwxyz"];
            return [...characters].map((each) => letters.find((letter) => namesFor(letter, [each]).length)).join("");
        }""",
        characters,
    )
    assert found == initials(characters)


def test_typing_is_told_to_the_others_and_ends_with_the_message(come: Come) -> None:
    ming, li = come("小明"), come("莉莉")
    ming.field.press_sequentially("写")
    expect(li.page.locator("#typing")).to_have_text("小明正在输入…")
    assert ming.page.inner_text("#typing") == ""
    ming.field.press("Enter")
    li.sees("写")
    expect(li.page.locator("#typing")).to_have_text("")


def test_members_are_listed_once_however_many_tabs_and_go_with_their_last(come: Come) -> None:
    ming, li = come("小明"), come("两个标签")
    second = li.context.new_page()
    second.goto(li.address)
    second.wait_for_selector("#connection[data-state=online]", state="attached")
    listed = ming.page.locator(".room-people .member-name", has_text="两个标签")
    expect(listed).to_have_count(1)
    second.close()
    expect(listed).to_have_count(1)
    li.page.close()
    expect(listed).to_have_count(0)
