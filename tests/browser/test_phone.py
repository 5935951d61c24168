"""On a phone: the whole height, the keyboard, sizes for fingers, WeChat's browser, and installing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
SETTINGS = {"room_name": "果园“团购”群"}
CSS = Path(__file__).parents[2] / "static" / "css"
WECHAT = (
    "Mozilla/5.0 (Linux; Android 14; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0"
    " Mobile Safari/537.36 MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 NetType/WIFI Language/zh_CN"
)
# The visible elements that can be pressed, with their sizes.
TOUCHABLE = """() => [...document.querySelectorAll('button, a, input, select, textarea, [role=switch]')]
    .filter(node => node.checkVisibility({visibilityProperty: true, opacityProperty: true}))
    .filter(node => !node.closest('.visually-hidden, .message-text'))
    .map(node => [node.outerHTML.slice(0, 120), node.getBoundingClientRect()])
    .filter(([, box]) => box.width > 1)
    .map(([html, box]) => [html, box.width, box.height])"""


def test_the_room_fills_the_screen_and_nothing_but_the_timeline_scrolls(come: Come, call: Call) -> None:
    call("莉莉").says_many(30)
    ming = come("小明", **PHONE)
    sizes = ming.page.evaluate(
        "() => [document.querySelector('.room').offsetHeight, innerHeight, document.documentElement.scrollHeight]"
    )
    assert sizes[0] == sizes[1] == sizes[2]
    assert ming.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert "calc(100 * var(--dvh))" in (CSS / "room" / "shell.css").read_text()
    sheets = "".join(path.read_text() for path in (CSS / "room").glob("*.css"))
    for side in ("top", "right", "bottom", "left"):
        assert f"env(safe-area-inset-{side})" in sheets


def test_the_keyboard_never_covers_the_composer(come: Come, call: Call) -> None:
    call("莉莉").says_many(30)
    ming = come("小明", **PHONE)
    # Chrome and Firefox make the page smaller, because it requests this.
    assert "interactive-widget=resizes-content" in (ming.page.get_attribute("meta[name=viewport]", "content") or "")
    ming.page.set_viewport_size({"width": 390, "height": 460})
    expect(ming.page.locator("#composer")).to_be_in_viewport(ratio=1)
    expect(ming.message("第 30 条")).to_be_in_viewport()
    ming.page.set_viewport_size({"width": 390, "height": 844})
    # Safari only reports that less of the page is visible.
    ming.page.evaluate(
        """() => {
            Object.defineProperty(visualViewport, 'height', {configurable: true, get: () => 500});
            visualViewport.dispatchEvent(new Event('resize'));
        }"""
    )
    ming.page.wait_for_function("() => document.querySelector('.room').offsetHeight === 500")
    assert ming.page.evaluate("() => document.querySelector('#composer').getBoundingClientRect().bottom <= 500")
    expect(ming.message("第 30 条")).to_be_in_viewport()


def test_fields_have_16_px_so_that_no_iphone_zooms_in_and_zooming_is_allowed(come: Come) -> None:
    ming = come("小明", **PHONE)
    small = """() => [...document.querySelectorAll('input, textarea, select')]
        .filter(node => !['hidden', 'file'].includes(node.type) && parseFloat(getComputedStyle(node).fontSize) < 16)
        .map(node => node.outerHTML)"""
    for path in ("/", "/profile/"):
        ming.page.goto(ming.address + path)
        assert ming.page.evaluate(small) == []
        viewport = ming.page.get_attribute("meta[name=viewport]", "content") or ""
        assert "maximum-scale" not in viewport and "user-scalable" not in viewport
    guest = come(**PHONE)
    for path in ("/login/", "/register/"):
        guest.page.goto(guest.address + path)
        assert guest.page.evaluate(small) == []


def test_what_can_be_touched_has_44_px(come: Come, call: Call) -> None:
    li = call("莉莉")
    li.says("回复我", reply_to=li.says("原来的")["id"])
    wang = come(ADMINISTRATOR, **PHONE)
    wang.message("回复我").wait_for()
    too_small: dict[str, list[object]] = {}

    def look(where: str) -> None:
        found = [each for each in wang.page.evaluate(TOUCHABLE) if each[1] < 43.5 or each[2] < 43.5]
        # A quote is a line in a bubble, and the bubble's menu has the same choice.
        too_small[where] = [each for each in found if 'class="quote"' not in str(each[0])]

    look("the room")
    for opener, dialog in (("plus", "#plus"), ("own-menu", "#own-menu"), ("people", "#people"), ("search", "#search")):
        wang.page.locator(f"[data-opens={opener}]:visible").first.click()
        wang.page.wait_for_selector(f"{dialog}[open]")
        look(dialog)
        wang.page.keyboard.press("Escape")
    wang.message("回复我").locator("[data-action=menu]").click()
    wang.page.wait_for_selector("#message-menu[open]")
    look("the menu")
    assert {where: found for where, found in too_small.items() if found} == {}


def test_presets_are_large_buttons_in_the_sheet(come: Come) -> None:
    wang = come(ADMINISTRATOR, **PHONE)
    wang.page.tap("[data-opens=plus]")
    for preset in ("start", "stop", "countdown", "picture"):
        box = wang.page.locator(f"#plus [data-preset={preset}]").bounding_box()
        assert box and box["height"] >= 50
    wang.page.tap("#plus [data-preset=start]")
    expect(wang.page.locator("#countdown")).to_be_visible()
    expect(wang.page.locator("#plus")).to_be_hidden()
    wang.page.tap("[data-opens=plus]")
    wang.page.tap("#plus [data-preset=stop]")
    expect(wang.page.locator("#countdown")).to_be_hidden()


def test_it_works_as_a_plain_tab_in_wechats_browser(come: Come, call: Call) -> None:
    """A browser without push, service worker, installation and permissions."""
    ming = come(**{**PHONE, "user_agent": WECHAT})
    ming.page.clock.install()
    ming.page.add_init_script(
        """delete window.Notification; delete window.PushManager;
        Object.defineProperty(Navigator.prototype, 'serviceWorker', {get: () => undefined});"""
    )
    ming.join("微信里的人")
    assert ming.page.locator(".room--mobile").count() == 1
    ming.say("在微信里说的")
    ming.sees("在微信里说的")
    call("莉莉").says("看得到")
    ming.sees("看得到")
    ming.page.clock.run_for(5_000)  # later than other browsers make their copy


def test_it_can_be_installed_under_the_rooms_own_name(come: Come) -> None:
    ming = come("小明", **PHONE)
    address = ming.page.locator("link[rel=manifest]").evaluate("link => link.href")
    answer = ming.page.request.get(address)
    assert answer.headers["content-type"].startswith("application/manifest+json")
    manifest = json.loads(answer.body())
    assert manifest["start_url"] == manifest["scope"] == manifest["id"] == "/"
    assert manifest["display"] == "standalone" and manifest["lang"] == "zh"
    assert manifest["name"] == manifest["short_name"] == "果园“团购”群"
    sizes = set()
    for icon in manifest["icons"]:
        picture = ming.page.request.get(ming.address + icon["src"])
        assert picture.ok and picture.headers["content-type"] == icon["type"]
        sizes.add(icon["sizes"])
    assert {"192x192", "512x512"} <= sizes
    assert any(icon.get("purpose") == "maskable" for icon in manifest["icons"])
    assert ming.page.request.get(ming.page.locator("link[rel=apple-touch-icon]").evaluate("link => link.href")).ok
    # Chromium's own check of the manifest, which names its faults.
    read = ming.context.new_cdp_session(ming.page).send("Page.getAppManifest")
    assert read["url"] == address and read["errors"] == [] and "果园“团购”群" in read["data"]


def test_a_room_that_is_renamed_is_installed_under_its_new_name(visit: Come) -> None:
    wang = visit()
    wang.log_in(ADMINISTRATOR)
    wang.page.goto(f"{wang.address}/settings/")
    wang.page.fill("input[name=room_name]", "改了名字")
    wang.page.locator("form:has(input[name=room_name]) button[type=submit]").last.click()
    wang.until(lambda: wang.page.request.get(f"{wang.address}/manifest.webmanifest").json()["name"] == "改了名字")


@pytest.mark.parametrize("ui", ["desktop", "mobile"])
def test_the_layout_can_be_chosen_and_is_remembered(come: Come, ui: str) -> None:
    ming = come("小明", **PHONE)
    ming.open_room(f"?ui={ui}")
    ming.page.goto(ming.address)
    assert ming.page.locator(f".room--{ui}").count() == 1
