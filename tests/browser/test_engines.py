"""The room's main job in the browser engines that members use, on the phone's page and on the desktop's page."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.caller import PASSWORD, Caller
from tests.browser.conftest import ADMINISTRATOR, RoomProcess
from tests.browser.engines import firefox, webkit
from tests.browser.engines.chromium import old_chromium
from tests.browser.engines.tab import Engine, Tab, enter, one, until

SETTINGS = {"window_seconds": "86400"}
ENGINES: dict[str, Callable[[Browser], Engine]] = {
    "chromium-88": lambda browser: old_chromium(88, browser.browser_type),
    "chromium-106": lambda browser: old_chromium(106, browser.browser_type),
    "firefox": lambda browser: firefox.ENGINE,
    "webkit": lambda browser: webkit.ENGINE,
}
SIZES = {"mobile": (390, 844), "desktop": (1280, 800)}

# The layout of the page in this engine: the room fills the screen, Send is on it, and the colours are those of the
# tokens.
LOOK = """(() => {
    const style = (selector) => getComputedStyle(document.querySelector(selector));
    const room = document.querySelector('.room').getBoundingClientRect();
    const send = document.querySelector('#composer [type=submit]').getBoundingClientRect();
    return {
        grid: style('.room').display,
        height: Math.round(room.height) === innerHeight,
        send: send.right <= innerWidth && send.bottom <= innerHeight && send.width > 0,
        paper: style('html').backgroundColor,
        ink: style('html').color,
        bubble: style('.message--mine .bubble').backgroundColor,
        button: style('#composer [type=submit]').backgroundColor,
    };
})()"""
LIGHT = {"paper": "rgb(251, 250, 247)", "ink": "rgb(28, 36, 33)", "bubble": "rgb(212, 240, 225)"}
DARK = {"paper": "rgb(16, 21, 19)", "ink": "rgb(233, 232, 227)", "bubble": "rgb(25, 61, 47)"}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, browser: Browser) -> Engine:
    found = ENGINES[request.param](browser)
    if missing := found.find():
        explain = pytest.fail if os.environ.get("CHAT_TEST_ENGINES") == "required" else pytest.skip
        explain(f"no {found.name} here; {missing}")
    return found


@pytest.fixture(params=SIZES)
def ui(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def tab(engine: Engine, ui: str) -> Iterator[Tab]:
    with engine.start(*SIZES[ui]) as started:
        yield started


def test_the_main_job(tab: Tab, engine: Engine, ui: str, hall: RoomProcess, call: Callable[[str], Caller]) -> None:
    name = f"{engine.name.replace(' ', '')}{ui[0]}"
    li, wang = call("莉莉"), call(ADMINISTRATOR)
    register(tab, hall.address, name, ui)
    asked = li.says(f"{name}，今天有草莓吗")
    until(tab, f"Boolean({says(asked['text'])})")
    post(tab, ui, "有的，两盒")
    until(tab, f"Boolean({says('有的，两盒', mine=True)})")
    looks_right(tab)
    reply(tab, asked["id"], "留好了")
    until(tab, f"Boolean({says('留好了', mine=True)})")
    recall(tab, "留好了")
    edit(tab, "有的，两盒", "，先到先得")
    until(tab, f"Boolean({says('有的，两盒，先到先得', mine=True)})")
    pin(tab, wang)
    wang.presets("start")
    until(tab, f"{one('#countdown')}?.textContent > 0")
    wang.presets("stop")
    until(tab, f"!{one('#countdown')}")
    mine = [each["text"] for each in li.newest() if each["user"] == name and each["state"] == "live"]
    assert mine == ["有的，两盒，先到先得"]


def register(tab: Tab, address: str, name: str, ui: str) -> None:
    tab.open(f"{address}/register/?ui={ui}&lang=zh")
    enter(tab, "input[name=username]", name)
    enter(tab, "input[name=password]", PASSWORD)
    tab.press("main button[type=submit]")
    until(tab, f"document.querySelector('.room--{ui} #connection[data-state=online]') !== null")


def post(tab: Tab, ui: str, text: str) -> None:
    """Send with the button on a phone, and with Enter on a desktop."""
    enter(tab, "#composer textarea", text if ui == "mobile" else f"{text}\n")
    if ui == "mobile":
        tab.press("#composer [type=submit]")


def reply(tab: Tab, message_id: int, text: str) -> None:
    tab.press(f"article[data-id='{message_id}'] [data-action=menu]")
    tab.press("#message-menu[open] [data-action=reply]")
    until(tab, f"Boolean({one('.composer-reply')})")
    enter(tab, "#composer textarea", text)
    tab.press("#composer [type=submit]")


def recall(tab: Tab, text: str) -> None:
    own = until(tab, f"{says(text, mine=True)}.dataset.id")
    tab.press(f"article[data-id='{own}'] [data-action=menu]")
    tab.press("#message-menu[open] [data-action=recall]")
    until(tab, f"""document.querySelector("article[data-id='{own}']").dataset.state === 'recalled'""")


def edit(tab: Tab, text: str, more: str) -> None:
    own = until(tab, f"{says(text, mine=True)}.dataset.id")
    tab.press(f"article[data-id='{own}'] [data-action=menu]")
    tab.press("#message-menu[open] [data-action=edit]")
    until(tab, f"Boolean({one('.composer-task')}) && document.activeElement.value === '{text}'")
    tab.type(more)
    tab.press("#composer [type=submit]")
    until(tab, f"!{one('.composer-task')} && document.querySelector('#composer textarea').value === ''")


def pin(tab: Tab, wang: Caller) -> None:
    """The notice is shown in two lines, is folded to one line, and is removed."""
    wang.sends("/notice/", text="周五三点取货\n请带好袋子\n货款当天结清")
    lines = "(text => text && text.clientHeight / parseFloat(getComputedStyle(text).lineHeight))"
    assert round(until(tab, f"{lines}({one('#notice .message-text')})")) == 2
    tab.press("#notice .pinned-acts button:last-child")
    until(tab, f"Boolean({one('.pinned-line')}) && !{one('#notice .message-text')}")
    wang.sends("/notice/", text="")
    until(tab, f"!{one('#notice')}")


def looks_right(tab: Tab) -> None:
    for theme, colours in (("light", LIGHT), ("dark", DARK)):
        tab.run(f"(document.documentElement.dataset.theme = '{theme}')")
        look = until(tab, f"(look => look.bubble === '{colours['bubble']}' && look)({LOOK})")
        assert (look["grid"], look["height"], look["send"]) == ("grid", True, True), look
        assert {part: look[part] for part in colours} == colours
        assert look["button"] not in (colours["paper"], "rgba(0, 0, 0, 0)")
    tab.run("(document.documentElement.dataset.theme = 'light')")


def says(text: str, mine: bool = False) -> str:
    """An expression for the live article with this `text`."""
    selector = f"article[data-state=live][data-id]{'.message--mine' if mine else ''}"
    return f"[...document.querySelectorAll('{selector}')].find(node => node.textContent.includes({json.dumps(text)}))"
