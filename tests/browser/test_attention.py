"""A number in the title and on the icon, notifications and a sound: each is off until the reader turns it on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])

# A browser that records what the page asks for, and whose reader allows it.
WATCHED = """
    window.asked = 0; window.notes = []; window.takenBack = []; window.tones = 0;
    window.Notification = class extends EventTarget {
        static permission = localStorage.getItem('agreed') ?? 'default';
        static async requestPermission() {
            window.asked += 1;
            localStorage.setItem('agreed', 'granted');
            return (window.Notification.permission = 'granted');
        }
        constructor(title, options) { super(); this.body = options.body; window.notes.push([title, options.body]); }
        close() { window.takenBack.push(this.body); }
    };
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...at) { window.tones += 1; return start.apply(this, at); };
"""


def watched(come: Come, name: str, **kind: object) -> Visitor:
    visitor = come(**kind)
    visitor.page.add_init_script(WATCHED)
    visitor.join(name)
    return visitor


def press_switch(visitor: Visitor, name: str) -> None:
    visitor.page.click("[data-opens=own-menu]:visible")
    visitor.page.click(f"[data-switch={name}]")


def test_the_number_of_unread_messages_stands_in_the_title_and_on_the_icon(come: Come, call: Call) -> None:
    ming, li = come("小明"), call("莉莉")
    plain = ming.page.get_attribute("link[rel=icon]", "href") or ""
    assert plain.endswith(".svg")
    title = ming.page.title()
    ming.hides()
    li.says("看看标题")
    li.says("再来一条")
    ming.page.wait_for_function("title => document.title === `(2) ${title}`", arg=title)
    ming.page.wait_for_function("() => document.querySelector('link[rel=icon]').href.startsWith('data:image/png')")
    drawn = ming.page.get_attribute("link[rel=icon]", "href")
    li.says("第三条")
    ming.page.wait_for_function("drawn => document.querySelector('link[rel=icon]').href !== drawn", arg=drawn)
    ming.hides(False)
    ming.page.wait_for_function("title => document.title === title", arg=title)
    expect(ming.page.locator("link[rel=icon]").first).to_have_attribute("href", plain)


def test_ones_own_words_from_another_device_are_not_unread(come: Come, call: Call) -> None:
    ming, phone = come("小明"), come("小明", **PHONE)
    title = ming.page.title()
    ming.hides()
    phone.say("我自己说的")
    ming.sees("我自己说的")
    assert ming.page.title() == title


@both_pages
def test_notifications_are_asked_for_only_after_a_press_and_tell_of_mentions_and_of_ordering(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    ming, li = watched(come, "小明", **kind), call("莉莉")
    ming.hides()
    li.says("@小明 还没有允许")
    ming.sees("还没有允许")
    assert ming.page.evaluate("() => [window.asked, window.notes.length]") == [0, 0]
    ming.hides(False)
    press_switch(ming, "notify")
    expect(ming.page.locator("[data-switch=notify]")).to_have_attribute("aria-checked", "true")
    assert ming.page.evaluate("() => window.asked") == 1
    ming.page.keyboard.press("Escape")
    li.says("@小明 你正看着呢")
    ming.sees("你正看着呢")
    ming.hides()
    li.says("没叫谁")
    li.says("@小明 草莓到了")
    ming.page.wait_for_function("() => window.notes.length === 1")
    wang = call(ADMINISTRATOR)
    wang.presets("start", seconds=60)
    ming.page.wait_for_function("() => window.notes.length === 2")
    wang.presets("start", seconds=90)
    wang.presets("stop")
    ming.sees("停止下单")
    assert ming.page.evaluate("() => window.notes") == [
        ["莉莉提到了你", "@小明 草莓到了"],
        ["开始下单", f"由{ADMINISTRATOR}开启"],
    ]
    ming.hides(False)
    ming.page.reload()
    ming.wait_online()
    expect(ming.page.locator("[data-switch=notify]")).to_have_attribute("aria-checked", "true")
    assert ming.page.evaluate("() => window.asked") == 0


def test_a_notification_follows_an_edit(come: Come, call: Call) -> None:
    ming, li = watched(come, "小明"), call("莉莉")
    press_switch(ming, "notify")
    ming.page.keyboard.press("Escape")
    ming.hides()
    message = li.says("@小明 两合")
    ming.page.wait_for_function("() => window.notes.length === 1")
    li.sends(f"/edit_message/{message['id']}/", text="@小明 两盒")
    ming.page.wait_for_function("() => window.notes.length === 2")
    assert ming.page.evaluate("() => window.notes[1]") == ["莉莉提到了你", "@小明 两盒"]
    assert ming.page.evaluate("() => window.takenBack") == []
    li.sends(f"/edit_message/{message['id']}/", text="@小红 两盒")
    ming.page.wait_for_function("() => window.takenBack.length === 1")
    assert ming.page.evaluate("() => window.takenBack") == ["@小明 两盒"]


def test_a_refused_permission_leaves_the_switch_off_and_says_so(come: Come) -> None:
    ming = come()
    ming.page.add_init_script(
        """window.Notification = class {
            static permission = 'denied';
            static async requestPermission() { return 'denied'; }
        };"""
    )
    ming.join("小明")
    press_switch(ming, "notify")
    expect(ming.page.locator("#toast")).to_contain_text("浏览器已禁止通知")
    expect(ming.page.locator("[data-switch=notify]")).to_have_attribute("aria-checked", "false")


def test_where_there_are_no_notifications_there_is_no_switch(come: Come) -> None:
    """A browser without notifications, such as WeChat's."""
    ming = come(**PHONE)
    ming.page.add_init_script("delete window.Notification;")
    ming.join("小明")
    ming.page.click("[data-opens=own-menu]:visible")
    expect(ming.page.locator("[data-switch=sound]")).to_be_visible()
    expect(ming.page.locator("[data-switch=notify]")).to_have_count(0)


def test_the_sound_is_off_until_it_is_switched_on(come: Come, call: Call) -> None:
    ming, li = watched(come, "小明"), call("莉莉")
    ming.hides()
    li.says("静悄悄")
    ming.sees("静悄悄")
    assert ming.page.evaluate("() => window.tones") == 0
    ming.hides(False)
    press_switch(ming, "sound")
    ming.page.wait_for_function("() => window.tones === 2")
    ming.page.keyboard.press("Escape")
    ming.page.evaluate("() => { const now = performance.now.bind(performance); performance.now = () => now() + 5000; }")
    ming.hides()
    li.says("响一声")
    ming.page.wait_for_function("() => window.tones === 4")
    ming.hides(False)
    press_switch(ming, "sound")
    expect(ming.page.locator("[data-switch=sound]")).to_have_attribute("aria-checked", "false")
