"""The ordering window: one bar, one clock on all pages, and short announcements for screen readers."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.line import Frame, Line

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
TEN_MINUTES_WRONG = "const real = Date.now; Date.now = () => real() {} 600_000;"


@both_pages
def test_one_bar_says_how_long_and_who_and_the_composer_shows_it(
    come: Come, wang: Caller, kind: dict[str, object]
) -> None:
    ming = come("小明", **kind)
    expect(ming.page.locator("#ordering")).to_be_hidden()
    wang.presets("start", seconds=90)
    expect(ming.page.locator("#ordering")).to_be_visible()
    assert 60 <= int(ming.page.inner_text("#countdown")) <= 90
    assert ming.page.locator("#ordering .ordering-by").text_content() == ADMINISTRATOR
    expect(ming.field).to_have_attribute("placeholder", "下单中，说点什么…")
    ming.page.locator("#messages").evaluate("list => { list.scrollTop = 0; }")
    expect(ming.page.locator("#countdown")).to_be_in_viewport()
    wang.presets("stop")
    expect(ming.page.locator("#ordering")).to_be_hidden()
    expect(ming.field).to_have_attribute("placeholder", "说点什么…")


def test_clocks_ten_minutes_wrong_agree_within_half_a_second(come: Come, wang: Caller) -> None:
    early, late = come(), come(**PHONE)
    for visitor, sign in ((early, "-"), (late, "+")):
        visitor.page.add_init_script(TEN_MINUTES_WRONG.format(sign))
    early.join("表慢十分钟")
    late.join("表快十分钟")
    wang.presets("start", seconds=60)
    # Records when each page turns to the next second, on one clock that neither page can see.
    for visitor in (early, late):
        visitor.page.wait_for_selector("#countdown:visible")
        visitor.page.evaluate(
            """() => {
                window.turned = {};
                const countdown = document.querySelector('#countdown');
                new MutationObserver(() => {
                    window.turned[countdown.textContent] = performance.timeOrigin + performance.now();
                }).observe(countdown, {childList: true, characterData: true, subtree: true});
            }"""
        )
    for visitor in (early, late):
        visitor.page.wait_for_function("() => Object.keys(window.turned).length >= 5")
    turns = [visitor.page.evaluate("() => window.turned") for visitor in (early, late)]
    both = set(turns[0]) & set(turns[1])
    assert len(both) >= 3
    # The best of several turns counts: a busy machine can delay one of them, a wrong clock delays all.
    assert min(abs(turns[0][second] - turns[1][second]) for second in both) < 500


def test_no_page_counts_more_seconds_than_there_are(come: Come, wang: Caller) -> None:
    """If a pong's way to the server is fast and its way back slow, the page's clock is a little late."""
    ming = come()
    line, pongs = Line(ming), 0

    def askew(frame: Frame) -> Frame:
        nonlocal pongs
        if frame["type"] == "pong":
            pongs += 1
            return {**frame, "now_ms": frame["now_ms"] - 700}
        return frame

    line.down = askew
    ming.join("小明")
    ming.until(lambda: pongs == 1)
    ming.page.evaluate(
        """() => {
            window.shown = [];
            const countdown = document.querySelector('#countdown');
            new MutationObserver(() => window.shown.push(+countdown.textContent)).observe(countdown, {childList: true});
        }"""
    )
    wang.presets("start", seconds=100)
    ming.page.wait_for_function("() => window.shown.length >= 2")
    assert max(ming.page.evaluate("() => window.shown")) <= 100


def test_screen_readers_hear_the_opening_sixty_thirty_ten_and_the_end_alone(come: Come, wang: Caller) -> None:
    """On a guest's page, because it sends no requests while the test holds its clock."""
    guest = come()
    guest.page.clock.install()
    guest.open_room()
    guest.page.evaluate(
        """() => {
            window.said = [];
            const announcer = document.querySelector('#announcer');
            new MutationObserver(() => window.said.push(announcer.textContent)).observe(announcer, {childList: true});
        }"""
    )
    guest.stops_the_clock()
    countdown = guest.page.locator("#countdown")
    wang.presets("start", seconds=100)
    expect(countdown).to_have_text("100")
    guest.page.clock.run_for(45_000)
    # The end of an open window is moved: this is not an opening, and passes no mark.
    wang.presets("start", seconds=35)
    expect(countdown).to_have_text("35")
    # A page that was busy or asleep has missed the exact second, and announces the seconds that are left then.
    guest.page.clock.fast_forward(10_000)
    wang.presets("start", seconds=12)
    expect(countdown).to_have_text("12")
    guest.page.clock.run_for(4_000)
    wang.presets("stop")
    expect(countdown).to_be_hidden()
    assert guest.page.evaluate("() => window.said") == [
        "开始下单，还有 100 秒", "还有 60 秒", "还有 25 秒", "还有 10 秒", "停止下单",
    ]  # fmt: skip
    assert guest.page.get_attribute("#announcer", "role") == "status"
    assert guest.page.locator("#ordering[aria-live], #countdown[aria-live], #ordering[role=status]").count() == 0


def test_the_last_ten_seconds_are_loud_and_it_ends_by_itself(come: Come, wang: Caller) -> None:
    ming, late = come("小明"), come("莉莉", **PHONE)
    wang.presets("start", seconds=60)
    for visitor in (ming, late):
        expect(visitor.page.locator("#ordering:not(.ordering--ending)")).to_be_visible()
    wang.presets("start", seconds=9)
    for visitor in (ming, late):
        visitor.page.wait_for_selector("#ordering.ordering--ending:visible")
    wang.presets("start", seconds=2)  # both pages have shown it, so the end may come
    for visitor in (ming, late):
        expect(visitor.page.locator("#ordering")).to_be_hidden()
        visitor.sees("停止下单")


def test_the_administrators_buttons_and_lengths(come: Come) -> None:
    wang = come(ADMINISTRATOR)
    wang.page.select_option("[name=seconds]", "180")
    wang.page.click("[data-preset=start]")
    wang.page.wait_for_selector("#countdown:visible", state="attached")
    assert 120 < int(wang.page.locator("#countdown").text_content() or 0) <= 180
    wang.page.click("[data-preset=stop]")
    expect(wang.page.locator("#ordering")).to_be_hidden()


def cards(visitor: Visitor) -> list[str]:
    """The text beside each message about a window, oldest first."""
    shown: list[str] = visitor.page.eval_on_selector_all(
        ".notice--preset", "nodes => nodes.map((node) => node.dataset.window)"
    )
    return shown


def fates(visitor: Visitor) -> list[str]:
    return [text.strip() for text in visitor.page.locator(".notice-fate").all_inner_texts()]


@pytest.fixture
def alone(room: RoomProcess) -> Callable[[str], Caller]:
    """In a room that contains only what this test does."""
    return lambda name: Caller(room.address, name)


@both_pages
def test_one_card_is_live_the_earlier_ones_were_replaced_and_it_says_who_closed_it(
    visit: Come, alone: Call, kind: dict[str, object]
) -> None:
    wang, ming = alone(ADMINISTRATOR), visit("小明", **kind)
    for seconds in (600, 700):
        wang.presets("start", seconds=seconds)
    wang.presets("countdown")
    ming.page.wait_for_function("() => document.querySelectorAll('.notice--preset').length === 3")
    assert cards(ming) == ["replaced", "replaced", "live"]
    assert ming.page.locator(".remaining").count() == 1
    assert all(re.fullmatch(r"\d\d:\d\d:\d\d 被新的倒计时取代", fate) for fate in fates(ming))
    wang.presets("stop")
    expect(ming.page.locator(".notice--preset[data-window=stop]")).to_have_count(1)
    assert cards(ming) == ["replaced", "replaced", "closed", "stop"]
    assert ming.page.locator(".remaining").count() == 0
    assert re.fullmatch(rf"\d\d:\d\d:\d\d 由{ADMINISTRATOR}结束", fates(ming)[2])
    # The next window is another one, and a page that is opened later shows the same.
    wang.presets("start", seconds=600)
    expect(ming.page.locator(".notice--preset[data-window=live]")).to_have_count(1)
    ming.page.reload()
    ming.wait_online()
    assert cards(ming) == ["replaced", "replaced", "closed", "stop", "live"]


def test_a_window_that_ran_out_says_that_nobody_closed_it(visit: Come, alone: Call) -> None:
    wang, ming = alone(ADMINISTRATOR), visit("小明")
    wang.presets("start", seconds=1)
    stop = ming.page.locator(".notice--preset[data-window=stop]")
    expect(stop).to_contain_text("到时自动结束")
    assert ADMINISTRATOR not in stop.inner_text()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 到时自动结束", fates(ming)[0])
    shown = [
        node.get_attribute("datetime") for node in ming.page.locator(".notice-fate time, [data-window=stop] time").all()
    ]
    assert shown[0] == shown[1]


def test_the_card_before_is_live_again_when_the_newest_is_deleted(visit: Come, alone: Call) -> None:
    wang, ming = alone(ADMINISTRATOR), visit("小明")
    wang.presets("start", seconds=600)
    shown = wang.presets("countdown")
    ming.page.wait_for_function("() => document.querySelectorAll('.notice--preset').length === 2")
    wang.deletes(shown)
    expect(ming.page.locator(".notice--preset")).to_have_count(1)
    assert cards(ming) == ["live"]
    # If the stop message is deleted, its window stays closed, but the page cannot say who closed it.
    wang.deletes(wang.presets("stop"))
    expect(ming.page.locator(".notice--preset[data-window=closed]")).to_have_count(1)
    ming.page.reload()
    ming.wait_online()
    assert (cards(ming), fates(ming)) == (["closed"], ["已结束"])


def press_start(visitor: Visitor, kind: dict[str, object]) -> None:
    if kind is PHONE:
        visitor.page.click("[data-opens=plus]")
    visitor.page.click("[data-preset=start]")


@both_pages
def test_a_second_administrator_is_asked_before_the_end_is_moved(
    visit: Come, alone: Call, kind: dict[str, object]
) -> None:
    wang = alone(ADMINISTRATOR)
    li = visit("莉莉")
    wang.send(f"/members/{Caller(wang.address, '莉莉').user['id']}/", {"act": "promote"})
    li = visit("莉莉", **kind)
    wang.presets("start", seconds=600)
    expect(li.page.locator("#countdown")).to_be_visible()
    press_start(li, kind)
    question = li.page.locator("#confirm-question")
    expect(question).to_be_visible()
    assert re.fullmatch(
        rf"{ADMINISTRATOR}开启的下单还有 (10:00|9:5\d)。改为从现在起 100 秒后结束？", question.inner_text()
    )
    li.page.click("#confirm [value=no]")
    assert int(li.page.locator("#countdown").text_content() or 0) > 500
    press_start(li, kind)
    li.page.click("#confirm [value=yes]")
    li.until(lambda: int(li.page.locator("#countdown").text_content() or 0) <= 100)


def test_it_is_asked_too_where_the_page_does_not_know_of_the_window_yet(visit: Come, alone: Call) -> None:
    caller = alone(ADMINISTRATOR)
    wang = visit()
    line = Line(wang)
    line.down = lambda frame: None if frame["type"] in ("window", "message") else frame
    wang.join(ADMINISTRATOR)
    caller.presets("start", seconds=600)
    wang.page.click("[data-preset=start]")
    expect(wang.page.locator("#confirm-question")).to_contain_text(f"{ADMINISTRATOR}开启的下单还有")
    wang.complaints.clear()  # clear the browser's own line about the 409
