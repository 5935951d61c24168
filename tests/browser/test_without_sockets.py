"""If no WebSocket can be made, menus open, and messages are posted over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.line import Line

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])

# As in Safari 15, where the policy 'self' does not allow the WebSocket of the same host.
THROWING = """() => { WebSocket = class { constructor() { throw new DOMException("blocked", "SecurityError"); } }; }"""


def arrives(come: Come, kind: dict[str, object], line: bool = False) -> Visitor:
    """A member's page without a socket: the constructor throws, or (with `line`) no handshake succeeds."""
    ming = come(**kind)
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    if line:
        Line(ming).cuts()
    else:
        ming.page.add_init_script(f"({THROWING})()")
    ming.page.goto(ming.address)
    return ming


@both_pages
@pytest.mark.parametrize("line", [False, True], ids=["the constructor throws", "no handshake succeeds"])
def test_a_text_is_posted_over_http(come: Come, call: Call, kind: dict[str, object], line: bool) -> None:
    said = call("莉莉").says("没有连接也能回复")
    ming = arrives(come, kind, line)
    expect(ming.page.locator("#connection")).to_have_attribute("data-state", "offline")
    ming.message(said["text"]).hover()
    ming.message(said["text"]).locator("[data-action=menu]").click()
    ming.page.click("#message-menu [data-action=reply]")
    ming.say("走表单")
    ming.sees("走表单")
    posted = [each for each in newest(ming) if each["text"] == "走表单"]
    assert [each["reply_to"] for each in posted] == [said["id"]]
    ming.act("走表单", "recall")
    ming.until(lambda: posted[0]["id"] in {each["id"] for each in newest(ming) if each["state"] == "recalled"})


def test_texts_go_in_their_order_and_keep_the_interval(visit: Come) -> None:
    ming = arrives(visit, DESKTOP)
    expect(ming.page.locator("#connection")).to_have_attribute("data-state", "offline")
    for text in ("一", "二"):
        ming.say(text)
    ming.sees("二")
    assert [each["text"] for each in newest(ming)] == ["一", "二"]


def newest(visitor: Visitor) -> list[dict[str, object]]:
    answer = visitor.page.request.get(f"{visitor.address}/api/recent_messages/")
    found: list[dict[str, object]] = answer.json()["messages"]
    return found
