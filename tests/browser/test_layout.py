"""At every width, with large text and the longest content, nothing is wider than the screen and Send can be pressed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.pictures import pick, png

Come = Callable[..., Visitor]

SETTINGS = {"room_name": "W" * 40, "history_limit": "100"}
# The longest texts that the rules allow, in the widest letters, without a place to break a line.
NAME = "W" * 20
WORD = "W" * 2000
LINK = "https://example.com/" + "W" * 1900
ALBUM = 9

WIDTHS = (320, 360, 390, 414, 600, 768, 899, 900, 1099, 1100, 1280, 1440)
TEXT_PERCENT = (100, 150, 200)
# A phone in landscape with the keyboard open; a desktop window of 1280 x 800 at 400 %.
SMALL = {"mobile": ((667, 160), (568, 150)), "desktop": ((320, 200), (427, 200))}

# The elements beyond the edge of the screen, except inside a box that scrolls or clips. The room clips too, so an
# element beyond its edge cannot be reached.
WIDER = """() => {
    const whole = '.room-page, .room, .room-main, .messages';
    const cutting = (node) => node && (getComputedStyle(node).overflowX !== 'visible' && !node.matches(whole)
        ? node : cutting(node.parentElement));
    const found = [];
    for (const node of document.querySelectorAll('body *')) {
        if (!node.checkVisibility({ visibilityProperty: true }) || node.closest('svg > *')) continue;
        const { left, right, width, height } = node.getBoundingClientRect();
        if (width <= 1 || height <= 1 || (left >= -1 && right <= innerWidth + 1)) continue;
        if (cutting(node.parentElement)) continue;
        found.push(`${node.localName}#${node.id}.${node.className} ${left} to ${right}`);
    }
    for (const box of [document.scrollingElement, document.querySelector('#messages')]) {
        if (box.scrollWidth > box.clientWidth) found.push(`${box.id || 'page'} scrolls to ${box.scrollWidth}`);
    }
    return found;
}"""
# True if a press in the middle of the element hits it, and if the whole element is on the screen.
REACHABLE = """node => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    const met = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return node.contains(met) && left >= 0 && top >= 0 && right <= innerWidth + 1 && bottom <= innerHeight + 1
        || `${left} to ${right}, ${top} to ${bottom}, of ${innerWidth} x ${innerHeight}, under ${met?.className}`;
}"""


@pytest.fixture(scope="module")
def crowded(hall: RoomProcess) -> Caller:
    """The module's room with the longest content in its history, and an open window."""
    wide, administrator = Caller(hall.address, NAME), Caller(hall.address, ADMINISTRATOR)
    long = wide.says(WORD)
    wide.says("回复", reply_to=long["id"])
    wide.says(LINK)
    wide.says("宽", image=png("teal", (1600, 200)))
    wide.says("", image=png("gold", (200, 1600)))
    wide.recalls(wide.says("撤回"))
    wide.says(f"@{NAME} {WORD[:500]}")
    administrator.sends("/notice/", text=f"{LINK[:250]}\n{WORD[:249]}")
    items = [{"name": f"{no}" + "W" * 39, "unit": "W" * 8, "price": "99999.99", "stock": "99999"} for no in range(1, 9)]
    administrator.presets("start", title="W" * 60, items=items, seconds=86400)
    for _ in range(6):
        wide.orders([{"item": 1, "quantity": "9999"}], "W" * 200)
    administrator.orders([{"item": 1, "quantity": "9999"}], "W" * 200)
    administrator.presets("countdown")
    administrator.send("/send_preset_image/", {}, png("navy", (1200, 900)))
    wide.says("最后一条")
    return wide


@pytest.fixture(scope="module", params=["phone", "desktop"])
def busy(request: pytest.FixtureRequest, browser: Browser, hall: RoomProcess, crowded: Caller) -> Iterator[Visitor]:
    """An administrator who replies to the longest message, with nine pictures and a text of many lines."""
    kind: dict[str, Any] = {"phone": PHONE, "desktop": DESKTOP}[request.param]
    settings = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "service_workers": "block", **kind}
    visitor = Visitor(browser.new_context(**settings), hall.address)
    visitor.join(ADMINISTRATOR)
    expect(visitor.page.locator("#countdown")).to_be_visible()
    visitor.message("W" * 40).scroll_into_view_if_needed()
    visitor.page.evaluate(
        "selector => document.querySelector(selector).querySelector('[data-action=menu]').click()",
        "#messages article[data-kind=text]",
    )
    visitor.page.click("#message-menu [data-action=reply]")
    pick(visitor, *[png() for _ in range(ALBUM)])
    visitor.field.fill("\n".join(["W" * 200] * 9))
    yield visitor
    assert visitor.complaints == []
    visitor.context.close()


def resized(visitor: Visitor, width: int, height: int, percent: int = 100) -> None:
    visitor.page.set_viewport_size({"width": width, "height": height})
    visitor.page.evaluate("percent => { document.documentElement.style.fontSize = `${percent}%`; }", percent)
    visitor.drawn()


@pytest.mark.parametrize("percent", TEXT_PERCENT)
def test_nothing_is_wider_than_the_screen_and_send_can_be_reached(busy: Visitor, percent: int) -> None:
    found = {}
    for width in WIDTHS:
        resized(busy, width, 800, percent)
        wider, send = busy.page.evaluate(WIDER), busy.page.locator("#composer [type=submit]").evaluate(REACHABLE)
        if wider or send is not True:
            found[width] = (wider[:8], send)
    assert found == {}


@pytest.mark.parametrize("percent", TEXT_PERCENT)
def test_send_can_be_reached_where_hardly_any_height_is_left(busy: Visitor, percent: int) -> None:
    """Check a phone in landscape with the keyboard open, during a window; and the desktop page at 400 %."""
    found = {}
    for width, height in SMALL["mobile" if busy.page.locator(".room--mobile").count() else "desktop"]:
        resized(busy, width, height, percent)
        busy.page.evaluate("() => document.activeElement.blur()")
        busy.field.focus()
        wider, send = busy.page.evaluate(WIDER), busy.page.locator("#composer [type=submit]").evaluate(REACHABLE)
        field = busy.field.evaluate(REACHABLE)
        if wider or send is not True or field is not True:
            found[width, height] = (wider[:8], send, field)
        resized(busy, 1280, 800)
    assert found == {}
