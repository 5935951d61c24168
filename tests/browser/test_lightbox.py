"""A picture in full size: fitted, zoomed, swiped away, with arrows through the room's pictures."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import CDPSession, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import PHONE, Visitor
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
OPEN = "dialog#lightbox[open]"


@pytest.fixture
def album(call: Call) -> list[dict[str, object]]:
    li = call("莉莉")
    return [li.says(words, image=png(colour, (1600, 1200))) for words, colour in
            (("第一张", "tomato"), ("第二张", "gold"), ("第三张", "teal"))]  # fmt: skip


def open_picture(visitor: Visitor, text: str) -> None:
    visitor.message(text).locator(".picture").click()
    visitor.page.wait_for_selector(OPEN)
    loaded(visitor)


def loaded(visitor: Visitor) -> None:
    visitor.page.wait_for_function("() => document.querySelector('#lightbox img').naturalWidth > 0")


def scaled(visitor: Visitor, how: str) -> None:
    """Wait until the picture's scale meets the condition, for example "=== 1" or "> 2"."""
    visitor.page.wait_for_function(
        "() => new DOMMatrix(getComputedStyle(document.querySelector('#lightbox img')).transform).a " + how
    )


def test_it_fits_and_escape_closes_it_and_the_focus_returns(come: Come, album: list[dict[str, object]]) -> None:
    ming = come("小明")
    ming.message("第二张").locator(".picture").focus()
    ming.page.keyboard.press("Enter")
    ming.page.wait_for_selector(OPEN)
    loaded(ming)
    picture = ming.page.locator("#lightbox img")
    box = picture.bounding_box()
    assert box and box["width"] <= 1280 and box["height"] <= 800 and box["height"] >= 500
    expect(ming.page.locator("#lightbox .lightbox-caption")).to_contain_text("莉莉")
    ming.page.keyboard.press("Escape")
    expect(ming.page.locator("#lightbox")).to_be_hidden()
    expect(ming.message("第二张").locator(".picture")).to_be_focused()


def test_arrows_go_through_the_rooms_pictures(come: Come, album: list[dict[str, object]]) -> None:
    ming = come("小明")
    open_picture(ming, "第三张")
    save = ming.page.locator("#lightbox a[download]")
    expect(save).to_have_attribute("href", str(album[2]["image"]))
    expect(ming.page.locator("[data-go=on]")).to_be_hidden()
    ming.page.keyboard.press("ArrowLeft")
    expect(save).to_have_attribute("href", str(album[1]["image"]))
    ming.page.click("[data-go=back]")
    expect(save).to_have_attribute("href", str(album[0]["image"]))
    ming.page.keyboard.press("ArrowRight")
    expect(save).to_have_attribute("href", str(album[1]["image"]))


def test_escape_closes_the_picture_after_a_long_one(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("长图", image=png("teal", (800, 3000)))
    after = li.says("后一张", image=png("gold", (1600, 1200)))
    ming = come("小明")
    open_picture(ming, "长图")
    ming.page.keyboard.press("ArrowRight")
    expect(ming.page.locator("#lightbox a[download]")).to_have_attribute("href", str(after["image"]))
    ming.drawn()
    ming.page.keyboard.press("Escape")
    expect(ming.page.locator("#lightbox")).to_be_hidden()


def test_it_downloads_and_the_wheel_zooms(come: Come, album: list[dict[str, object]]) -> None:
    ming = come("小明")
    open_picture(ming, "第一张")
    with ming.page.expect_download() as download:
        ming.page.click("#lightbox a[download]")
    assert download.value.suggested_filename.endswith(".webp")
    ming.page.mouse.move(640, 400)
    ming.page.mouse.wheel(0, -300)
    scaled(ming, "> 1.5")


def test_fingers_pinch_double_tap_and_swipe_down(come: Come, album: list[dict[str, object]]) -> None:
    ming = come("小明", **PHONE)
    open_picture(ming, "第二张")
    fingers = ming.context.new_cdp_session(ming.page)
    touch(fingers, [[(150, 400), (240, 400)], [(120, 400), (270, 400)], [(60, 400), (330, 400)]])
    scaled(ming, "> 2")
    tap_twice(fingers, 195, 420)
    scaled(ming, "=== 1")
    tap_twice(fingers, 195, 420)
    scaled(ming, "> 2")
    tap_twice(fingers, 195, 420)
    scaled(ming, "=== 1")
    touch(fingers, [[(195, 400)], [(195, 460)], [(195, 600)]])
    expect(ming.page.locator("#lightbox")).to_be_hidden()


def test_a_swipe_aside_turns_the_page(come: Come, album: list[dict[str, object]]) -> None:
    ming = come("小明", **PHONE)
    open_picture(ming, "第三张")
    fingers = ming.context.new_cdp_session(ming.page)
    touch(fingers, [[(100, 420)], [(180, 420)], [(300, 420)]])
    expect(ming.page.locator("#lightbox a[download]")).to_have_attribute("href", str(album[1]["image"]))


def test_a_picture_that_is_recalled_closes_in_every_hand(come: Come, call: Call) -> None:
    li = call("莉莉")
    message = li.says("马上撤回的图", image=png("red"))
    ming = come("小明")
    open_picture(ming, "马上撤回的图")
    li.recalls(message)
    expect(ming.page.locator("#lightbox")).to_be_hidden()
    expect(ming.page.locator("#lightbox img[src]")).to_have_count(0)


def test_a_picture_that_comes_after_its_recall_is_not_shown(come: Come, call: Call) -> None:
    li = call("莉莉")
    message = li.says("还没到就撤回了", image=png("red", (1600, 1200)))
    ming = come("小明")
    on_its_way: list[Route] = []
    whole = f"**{message['image']}"
    ming.page.route(whole, lambda route: on_its_way.append(route))
    with ming.page.expect_request(whole):
        open_picture(ming, "还没到就撤回了")
    li.recalls(message)
    expect(ming.page.locator("#lightbox")).to_be_hidden()
    with ming.page.expect_request_finished():
        on_its_way[0].fulfill(body=png("red"), content_type="image/png")
    ming.page.wait_for_timeout(500)  # as long as a picture may take to decode
    expect(ming.page.locator("#lightbox img[src]")).to_have_count(0)


def touch(session: CDPSession, steps: list[list[tuple[int, int]]], at: float | None = None) -> None:
    """`at`: the time of the event in seconds since 1970, as the device reports it; None for the time of its arrival."""
    when = {} if at is None else {"timestamp": at}
    for i, points in enumerate(steps):
        kind = "touchStart" if i == 0 else "touchMove"
        fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers, **when})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": [], **when})


def tap_twice(session: CDPSession, x: int, y: int) -> None:
    """A tenth of a second between the two taps, even if the machine needs longer to deliver them."""
    now = time.time()
    for i in range(2):
        touch(session, [[(x, y)]], now + i / 10)
