"""The ordering window: one bar, one clock for all, and few words for screen readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.error import HTTPError

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor
from tests.browser.line import Frame, Line

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
TEN_MINUTES_WRONG = "const real = Date.now; Date.now = () => real() {} 600_000;"


@pytest.fixture
def wang(call: Call) -> Iterator[Caller]:
    """Who leaves no window open behind them, however a test ends."""
    caller = call(ADMINISTRATOR)
    yield caller
    with suppress(HTTPError):  # there is none to stop
        caller.presets("stop")


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
    # When each page turns to the next second, told by one clock that neither page can see.
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
    # The best of some turns: a busy machine may delay any one of them, a wrong clock delays all.
    assert min(abs(turns[0][second] - turns[1][second]) for second in both) < 500


def test_no_page_counts_more_seconds_than_there_are(come: Come, wang: Caller) -> None:
    """An answer that was quick there and slow back sets a page's clock a little late."""
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
    """On a guest's page, which asks nobody anything while its time is in our hands."""
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
    # The end of an open window is moved, which is no opening and passes no mark.
    wang.presets("start", seconds=35)
    expect(countdown).to_have_text("35")
    # A page that was busy or asleep has missed the very second, and says how many there are by then.
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
    wang.presets("start", seconds=2)  # both have seen it: the end may come
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
