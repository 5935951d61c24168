"""The timeline: grouped, dated, following new messages, never jumping, with one divider and a bounded document."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor, serving
from tests.browser.line import Line
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
SHANGHAI = ZoneInfo("Asia/Shanghai")
LIST = "#messages"


def dated(line: Line, when: dict[str, datetime]) -> None:
    """Send messages with these texts to the page, as if they were written at these times."""

    def change(frame: dict[str, Any]) -> dict[str, Any]:
        if frame["type"] == "message" and frame["message"]["text"] in when:
            frame["message"]["created_ms"] = round(when[frame["message"]["text"]].timestamp() * 1000)
        return frame

    line.down = change


def test_messages_are_grouped_by_author_within_five_minutes(come: Come, call: Call) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")
    li, start = call("莉莉"), datetime.now(SHANGHAI).replace(hour=12, minute=0, second=0)
    texts = {"组一": 0, "组二": 4, "组三": 10}
    dated(line, {text: start + timedelta(minutes=minutes) for text, minutes in texts.items()})
    for text in texts:
        li.says(text)
        ming.sees(text)
    call("阿强").says("别人的")
    ming.sees("别人的")
    starts = [ming.message(text).evaluate("node => node.classList.contains('message--starts')") for text in texts]
    assert starts == [True, False, True]
    expect(ming.message("组一").locator(".message-author")).to_be_visible()
    expect(ming.message("组二").locator(".message-author")).to_be_hidden()
    expect(ming.message("别人的").locator(".message-author")).to_have_text("阿强")


@both_pages
def test_each_screen_says_who_wrote_and_when(come: Come, call: Call, kind: dict[str, Any]) -> None:
    li = call("莉莉")
    li.says_many(40, "一个人的第 {} 条")
    li.says_many(6, "一个人的长的第 {} 条，" + "说来话长，" * 30)
    ming = come("小明", **kind)
    ming.sees("长的第 6 条")
    without = """() => {
        const list = document.querySelector('#messages'), missing = [];
        for (list.scrollTop = 0; ; list.scrollTop += list.clientHeight) {
            const { top, bottom } = list.getBoundingClientRect();
            const seen = [...list.querySelectorAll('.message-author')].some(node => {
                const box = node.getBoundingClientRect();
                return box.height > 0 && box.bottom > top && box.top < bottom;
            });
            if (!seen) missing.push(list.scrollTop);
            if (list.scrollTop + list.clientHeight >= list.scrollHeight - 1) return missing;
        }
    }"""
    assert ming.page.evaluate(without) == []


def test_days_are_separated_as_people_call_them(come: Come, call: Call) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")
    li, now = call("莉莉"), datetime.now(SHANGHAI)
    dated(line, {"前天的": now - timedelta(days=2), "昨天的": now - timedelta(days=1), "今天的": now})
    for text in ("前天的", "昨天的", "今天的"):
        li.says(text)
        ming.sees(text)
    day = (now - timedelta(days=2)).day
    expect(ming.message("前天的").locator(".day-divider")).to_contain_text(f"月{day}日")
    expect(ming.message("昨天的").locator(".day-divider")).to_have_text("昨天")
    expect(ming.message("今天的").locator(".day-divider")).to_have_text("今天")


def test_times_are_in_the_readers_own_zone_and_exact_on_hover(come: Come, call: Call) -> None:
    message = call("莉莉").says("几点了")
    written = datetime.fromtimestamp(message["created_ms"] / 1000, ZoneInfo("America/New_York"))
    ming = come(timezone_id="America/New_York")
    ming.join("小明")
    shown = ming.message("几点了").locator("time").first
    assert shown.inner_text() == f"{written:%H:%M}" or not shown.is_visible()
    exact = shown.get_attribute("title") or ""
    assert f"{written:%H:%M:%S}" in exact and str(written.year) in exact


def test_on_a_phone_each_bubble_has_its_time_which_opens_the_menu(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says_many(3, "看时间 {}")
    li.says("看图的时间", image=png())
    call("小明").says("我自己的时间")
    ming = come("小明", **PHONE)
    ming.sees("我自己的时间")
    for text in ("看时间 1", "看时间 3", "看图的时间", "我自己的时间"):
        time = ming.message(text).get_by_role("button", name="消息菜单")
        assert time.inner_text().endswith(ming.message(text).locator("time:visible").inner_text())
        box = time.bounding_box()
        assert box and box["height"] >= 44 and box["width"] >= 44
        time.tap()
        expect(ming.page.locator("#message-menu")).to_be_visible()
        ming.page.keyboard.press("Escape")
    assert ming.page.locator("#messages use[href='#icon-more']").count() == 0, "no dots"


@both_pages
@pytest.mark.parametrize("size", [(1200, 900), (300, 1200), (64, 64)], ids=["wide", "high", "tiny"])
def test_a_picture_is_as_wide_as_its_bubble_however_long_its_caption(
    come: Come, call: Call, kind: dict[str, object], size: tuple[int, int]
) -> None:
    li, name = call("莉莉"), f"{kind is PHONE} {size}"
    asked = li.says(f"要看看吗 {name}，问得有一点长，引用的时候放不下，所以要省略")
    li.says(f"短 {name}", image=png(size=size))
    li.says(f"长 {name} " + "图下面的话很长，要换好几行才写得下。" * 4, image=png(size=size), reply_to=asked["id"])
    ming = come("小明", **kind)
    for words in ("短", "长"):
        bubble = ming.message(f"{words} {name}").locator(".bubble")
        picture = bubble.locator(".picture img")
        picture.evaluate("picture => { picture.loading = 'eager'; return picture.decode(); }")
        box, frame, inside, text = (
            node.bounding_box()
            for node in (bubble, bubble.locator(".picture"), picture, bubble.locator(".message-text"))
        )
        assert box and frame and inside and text
        padding = frame["x"] - box["x"]
        assert abs(box["width"] - frame["width"] - 2 * padding) <= 1, "the frame fills the bubble"
        assert abs((inside["x"] - frame["x"]) * 2 - (frame["width"] - inside["width"])) <= 1, (
            "the picture is in the middle"
        )
        assert inside["width"] <= frame["width"] and text["width"] <= frame["width"] + 1
        assert box["width"] <= max(200, inside["width"] + 2 * padding) + 1, "no caption makes it wider"
        assert box["width"] >= 199, "and it can be read"
    assert text["height"] > 60, "it wraps"


@both_pages
def test_it_follows_near_the_end_and_else_counts_what_is_new(come: Come, call: Call, kind: dict[str, object]) -> None:
    li = call("莉莉")
    li.says_many(30, "铺垫 {}")
    ming = come("小明", **kind)
    scroll(ming, -60)
    li.says("还在末尾附近")
    ming.sees("还在末尾附近")
    assert from_end(ming) <= 1
    scroll(ming, -900)
    before = place(ming)
    for text in ("新一", "新二", "新三"):
        li.says(text)
    newest = ming.page.locator("#newest")
    expect(newest).to_have_text("3 条新消息")
    assert place(ming) == before
    newest.click()
    expect(newest).to_be_hidden()
    assert from_end(ming) <= 1


@both_pages
def test_nothing_jumps_when_older_pages_come(come: Come, call: Call, kind: dict[str, object]) -> None:
    li = call("莉莉")
    li.says_many(170, "很早 {}")
    ming = come("小明", **kind)
    first = ming.page.locator(f"{LIST} article[data-id]").first.get_attribute("data-id")
    scroll_to(ming, 400)
    before = place(ming)
    ming.page.wait_for_function("first => document.querySelector('#messages article').dataset.id !== first", arg=first)
    ming.drawn()
    assert near(place(ming), before)


def test_nothing_jumps_when_a_picture_arrives_above(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("图在这里", image=png(size=(1200, 1600)))
    li.says_many(25, "图的下面 {}")
    ming = come()
    ming.page.route("**/media/images/**", lambda route: (time.sleep(0.5), route.continue_())[1])
    ming.join("小明")
    scroll(ming, -500)
    before = place(ming)
    scroll(ming, -1)
    ming.message("图在这里").locator("img").first.evaluate(
        "async picture => { picture.loading = 'eager'; await picture.decode(); }"
    )
    ming.drawn()
    assert near(place(ming), before)


def test_nothing_jumps_when_the_window_is_resized_or_the_line_comes_back(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says_many(40, "稳住 {} " + "一段比较长的话，换行的地方随窗口的宽度而变。" * 3)
    ming = come()
    line = Line(ming)
    ming.join("小明")
    scroll(ming, -1500)
    [anchor, offset] = place(ming)
    ming.page.set_viewport_size({"width": 800, "height": 700})
    ming.page.wait_for_function("() => innerWidth === 800")
    ming.drawn()
    assert abs(top_of(ming, anchor) - offset) <= 2
    line.cuts()
    ming.page.wait_for_selector("#connection:not([data-state=online])", state="attached")
    li.says("断线时说的")
    before = place(ming)
    line.mends()
    ming.wait_online()
    expect(ming.page.locator("#newest")).to_have_text("1 条新消息")
    assert near(place(ming), before)


def test_nothing_jumps_when_messages_expire(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", send_interval="0", history_limit="60") as room:
        li = Caller(room.address, "莉莉")
        li.says_many(60, "会过期 {}")
        ming = Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), room.address)
        ming.join("小明")
        scroll(ming, -800)
        before = place(ming)
        li.says_many(12, "新的 {}")
        expect(ming.page.locator(f"{LIST} article[data-id='12']")).to_have_count(0)
        ming.drawn()
        assert near(place(ming), before)
        ming.context.close()


def test_one_divider_where_the_member_last_read_kept_on_the_server(come: Come, call: Call, browser: Browser) -> None:
    li, ming = call("莉莉"), come()
    line = Line(ming)
    ming.join("读到哪")
    read = li.says("读过的")
    ming.sees("读过的")
    ming.until(lambda: any(f["type"] == "read" and f["id"] >= read["id"] for f in line.sent))
    ming.page.close()
    li.says("没读过的一")
    li.says("没读过的二")
    elsewhere = come("读到哪", **PHONE)
    dividers = elsewhere.page.locator(".unread-divider:visible")
    expect(dividers).to_have_count(1)
    expect(elsewhere.message("没读过的一").locator(".unread-divider")).to_be_visible()
    # The page is frozen while the member reads: this message counts as read, and more messages come.
    li.says("边看边来的")
    elsewhere.sees("边看边来的")
    expect(elsewhere.message("没读过的一").locator(".unread-divider")).to_be_visible()
    expect(dividers).to_have_count(1)


def test_nothing_counts_as_read_while_the_tab_is_hidden(come: Come, call: Call) -> None:
    li, ming = call("莉莉"), come()
    line = Line(ming)
    ming.join("走开的人")
    ming.hides()
    hidden = li.says("没人看见")
    ming.sees("没人看见")
    expect(ming.message("没人看见").locator(".unread-divider")).to_be_visible()

    def was_read() -> bool:
        return any(frame["type"] == "read" and frame["id"] >= hidden["id"] for frame in line.sent)

    assert not was_read()
    ming.hides(False)
    ming.until(was_read)


def test_older_pages_load_on_scroll_and_the_document_stays_bounded(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says_many(260, "翻到头 {}")
    ming = come("小明")

    def has_scrolled_up_to_the_first() -> bool:
        scroll_to(ming, 0)
        assert ming.page.locator(f"{LIST} article").count() <= 300
        return ming.page.locator(f"{LIST} article[data-id='1']").count() == 1

    ming.until(has_scrolled_up_to_the_first)
    ming.page.locator("#newest").click()
    ming.sees("翻到头 260")
    assert from_end(ming) <= 1


def test_inner_html_is_dead_markup_is_text_and_links_are_links(come: Come, call: Call) -> None:
    """The first version put texts into innerHTML."""
    evil = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script> https://example.com/a?b=1&c=2，好'
    li, ming = call("莉莉"), come("小明")
    li.says(evil)
    article = ming.page.locator(f"{LIST} article[data-id]").last
    expect(article.locator(".message-text")).to_have_text(evil)
    assert article.locator(".bubble img, .bubble script").count() == 0
    assert ming.page.evaluate("() => window.hurt") is None
    link = article.locator("a")
    expect(link).to_have_text("https://example.com/a?b=1&c=2")
    assert link.get_attribute("rel") == "noopener nofollow ugc"
    assert link.get_attribute("target") == "_blank"
    ming.page.reload()
    ming.wait_online()
    expect(article.locator(".message-text")).to_have_text(evil)
    assert ming.page.evaluate("() => window.hurt") is None


def test_no_address_of_another_kind_becomes_a_link(come: Come, call: Call) -> None:
    li, ming = call("莉莉"), come("小明")
    li.says("javascript:alert(1) data:text/html,x file:///etc/passwd 到此为止")
    ming.sees("到此为止")
    assert ming.message("到此为止").locator("a").count() == 0


def test_names_and_texts_are_isolated_from_each_others_direction(come: Come, call: Call) -> None:
    call("נועה").says("שלום לכולם")
    ming = come("小明")
    article = ming.message("שלום")
    assert article.locator(".message-author").evaluate("node => node.tagName") == "BDI"
    assert article.locator(".message-text").evaluate("node => getComputedStyle(node).direction") == "rtl"
    assert article.locator(".message-head").evaluate("node => getComputedStyle(node).direction") == "ltr"


def scroll(visitor: Visitor, by: int) -> None:
    visitor.page.evaluate("by => { document.querySelector('#messages').scrollTop += by; }", by)
    visitor.drawn()


def scroll_to(visitor: Visitor, top: int) -> None:
    visitor.page.evaluate("top => { document.querySelector('#messages').scrollTop = top; }", top)
    visitor.drawn()


def from_end(visitor: Visitor) -> float:
    visitor.drawn()
    return float(
        visitor.page.evaluate(
            """() => {
                const list = document.querySelector('#messages');
                return list.scrollHeight - list.clientHeight - list.scrollTop;
            }"""
        )
    )


def place(visitor: Visitor) -> list[float]:
    """The id of the message in the middle of the view, and its distance from the top."""
    visitor.drawn()
    [found, top] = visitor.page.evaluate(
        """() => {
            const list = document.querySelector('#messages');
            const box = list.getBoundingClientRect();
            for (const article of list.querySelectorAll('article[data-id]')) {
                const at = article.getBoundingClientRect();
                if (at.bottom > box.top + box.height / 2) return [Number(article.dataset.id), at.top - box.top];
            }
        }"""
    )
    return [found, top]


def top_of(visitor: Visitor, message_id: float) -> float:
    return float(
        visitor.page.evaluate(
            """id => document.querySelector(`article[data-id="${id}"]`).getBoundingClientRect().top
                - document.querySelector('#messages').getBoundingClientRect().top""",
            message_id,
        )
    )


def near(now: list[float], before: list[float]) -> bool:
    return now[0] == before[0] and abs(now[1] - before[1]) <= 2
