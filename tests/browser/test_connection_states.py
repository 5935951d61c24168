"""The connection: the state of the dot, when the banner appears, how the page reconnects, and the page without a
connection."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PATIENCE_SECONDS, PHONE, Visitor, serving
from tests.browser.line import Line

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
ONLINE, AWAY = "#connection[data-state=online]", "#connection:not([data-state=online])"


def test_a_dot_that_says_online_only_when_it_is(come: Come, call: Call) -> None:
    """The first version's dot was green before a connection existed. It must also not be green for an open socket
    behind a proxy that does not reach the room."""
    ming = come()
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    line = Line(ming)
    line.holds()
    ming.page.goto(ming.address)
    ming.page.wait_for_function("() => document.querySelector('#connection').title !== ''")
    expect(ming.page.locator("#connection")).to_have_attribute("data-state", "connecting")
    ming.until(lambda: line.attempts == 1)
    line.releases()
    expect(ming.page.locator("#connection")).to_have_attribute("data-state", "online")


def test_the_address_of_the_socket_is_the_pages_own(come: Come) -> None:
    """The first version used ws:// always, which an https page may not open."""
    ming = come()
    line = Line(ming)
    ming.join("小明")
    assert line.address.startswith(f"{ming.address.replace('http', 'ws')}/ws/chat/?after=")
    written = re.compile(r"""["'`]wss?://""")
    for path in Path(__file__).parents[2].joinpath("static", "js").rglob("*.js"):
        assert not written.search(path.read_text()), path


def test_a_guests_script_lives_and_sends_nothing(come: Come, call: Call) -> None:
    """The first version's script failed without a composer; a later version requested what a guest may not request."""
    guest = come(**PHONE)
    line = Line(guest)
    guest.open_room()
    call("莉莉").says("游客也看得到")
    guest.sees("游客也看得到")
    for event in ("online", "offline"):
        guest.page.evaluate("event => window.dispatchEvent(new Event(event))", event)
    guest.hides()
    guest.hides(False)
    line.falters()
    call("莉莉").says("回来以后也是")
    guest.sees("回来以后也是")
    assert line.sent == []
    expect(guest.page.locator("#toast")).to_be_hidden()


def test_it_is_silent_at_first_and_then_a_banner_says_so(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.page.clock.install()
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    ming.page.goto(ming.address)
    ming.wait_online()
    ming.stops_the_clock()
    line.cuts()
    ming.page.wait_for_selector(AWAY, state="attached")
    ming.page.clock.run_for(4_500)
    expect(ming.page.locator("#banner")).to_be_hidden()
    ming.page.clock.run_for(1_000)
    expect(ming.page.locator("#banner")).to_contain_text("连接已断开")
    ming.page.fill("#composer textarea", "离线写的")
    ming.page.click("#composer [type=submit]")
    expect(ming.page.locator("#banner")).to_contain_text("恢复后会发出 1 条消息")
    expect(ming.page.locator("#composer [type=submit]")).to_be_enabled()
    line.is_cut = False
    ming.page.clock.resume()
    ming.page.click("#banner button")
    ming.wait_online()
    expect(ming.page.locator("#banner")).to_be_hidden()
    ming.sees("离线写的")


def test_it_comes_back_with_growing_jittered_pauses_up_to_thirty_seconds(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.page.add_init_script(
        """window.pauses = [];
        const real = window.setTimeout;
        window.setTimeout = (run, ms, ...more) => {
            const retries = /#connect\\(\\)/.test(String(run));
            if (retries) window.pauses.push(ms);
            return real(run, retries ? 5 : ms, ...more);
        };"""
    )
    ming.join("小明")
    line.cuts()
    ming.page.wait_for_function("() => window.pauses.length >= 10")
    pauses = ming.page.evaluate("() => window.pauses")
    # The first pause is random, up to 2 s, so that pages that lost a server do not all reconnect at the same time.
    assert 100 <= pauses[0] <= 2000
    for attempt, pause in enumerate(pauses[1:], 1):
        most = min(30_000, 2000 * 2**attempt)
        assert most / 2 <= pause <= most
    assert len({round(pause) for pause in pauses[3:]}) > 3


def test_it_comes_back_at_once_when_the_device_is_online_or_the_tab_is_seen(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.page.clock.install()
    ming.join("小明")
    ming.stops_the_clock()  # so that no pause ends: only these events may cause the reconnect
    for wake in ("window.dispatchEvent(new Event('online'))", "document.dispatchEvent(new Event('visibilitychange'))"):
        line.cuts()
        expect(ming.page.locator("#connection")).to_have_attribute("data-state", "offline")
        line.is_cut = False
        attempts = line.attempts
        ming.page.evaluate(f"() => {{ {wake}; }}")
        ming.wait_online()
        assert line.attempts == attempts + 1


def test_a_line_that_died_without_a_word_is_noticed(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.page.clock.install()
    ming.join("小明")
    line.down = lambda frame: None
    ming.page.clock.run_for(40_000)
    ming.page.wait_for_selector(AWAY, state="attached")
    line.down = lambda frame: frame

    def is_back_a_second_later() -> bool:
        ming.page.clock.run_for(1_000)  # no further event, because each attempt needs time for its answer
        return ming.page.locator(ONLINE).count() == 1

    ming.until(is_back_a_second_later)


def test_it_resumes_where_it_was_recalls_included(come: Come, call: Call) -> None:
    li = call("莉莉")
    recalled, deleted = li.says("会被撤回"), li.says("会被删除")
    ming = come()
    line = Line(ming)
    ming.join("小明")
    ming.sees("会被删除")
    line.cuts()
    ming.page.wait_for_selector(AWAY, state="attached")
    li.recalls(recalled)
    li.deletes(deleted)
    li.says("断线时来的")
    line.mends()
    ming.sees("断线时来的")
    expect(ming.page.locator(f"article[data-id='{recalled['id']}']")).to_have_attribute("data-state", "recalled")
    expect(ming.page.locator(f"article[data-id='{deleted['id']}']")).to_have_count(0)
    ids = ming.page.evaluate("() => [...document.querySelectorAll('#messages article')].map(a => +a.dataset.id)")
    assert ids == sorted(set(ids))


def test_after_a_restart_everything_is_as_it_was_with_no_reload(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "data", send_interval="0") as room:
        li = Caller(room.address, "莉莉")
        li.says_many(40, "之前 {}")
        ming = Visitor(browser.new_context(**DESKTOP, locale="zh-CN", service_workers="block"), room.address)
        ming.join("小明")
        ming.page.evaluate("() => { window.still = true; document.querySelector('#messages').scrollTop -= 600; }")
        ming.field.fill("写到一半")
        top = ming.page.evaluate("() => document.querySelector('#messages').scrollTop")
        port = int(room.address.rpartition(":")[2])
        room.process.terminate()
        room.process.wait(PATIENCE_SECONDS)
        ming.page.wait_for_selector(AWAY, state="attached")
    with serving(tmp_path / "data", port, send_interval="0"):
        # The next attempt by itself may be half a minute away.
        ming.page.wait_for_selector(ONLINE, state="attached", timeout=60_000)
        assert ming.page.evaluate("() => window.still") is True
        assert ming.page.evaluate("() => document.querySelector('#messages').scrollTop") == top
        expect(ming.field).to_have_value("写到一半")
        ming.field.press("Enter")
        ming.sees("写到一半")
        ming.context.close()


def test_a_new_version_of_the_page_is_offered_and_not_forced(come: Come) -> None:
    ming = come()
    line = Line(ming)
    line.down = lambda frame: {**frame, "version": "0ther"} if frame["type"] == "hello" else frame
    ming.join("小明")
    banner = ming.page.locator("#banner")
    expect(banner).to_contain_text("页面有新版本")
    ming.field.fill("不急")
    ming.page.evaluate("() => { window.still = true; }")
    banner.get_by_role("button", name="稍后").click()
    expect(banner).to_be_hidden()
    line.falters()
    expect(banner).to_be_hidden()
    assert ming.page.evaluate("() => window.still") is True
    ming.page.reload()
    expect(banner).to_contain_text("页面有新版本")
    line.down = lambda frame: frame
    banner.get_by_role("button", name="刷新").click()
    ming.page.wait_for_function("() => window.still === undefined && document.querySelector('#banner')?.hidden")
    ming.wait_online()
    expect(ming.field).to_have_value("不急")
    ming.field.fill("")


@both_pages
def test_without_a_line_the_shell_and_the_last_history_are_shown_and_forgotten_at_logout(
    browser: Browser, tmp_path: Path, kind: dict[str, object]
) -> None:
    settings = {"send_interval": "0", "history_limit": "4"}
    with serving(tmp_path / "data", **settings) as room:
        li = Caller(room.address, "莉莉")
        gone = ("这句会过期", "这句会撤回", "这句会删除")
        _, taken_back, deleted = [li.says(text) for text in gone]
        li.says("还留着的")
        ming = Visitor(browser.new_context(**kind, locale="zh-CN"), room.address)  # type: ignore[arg-type]
        ming.join("小明")
        ming.until(lambda: "还留着的" in copy_of(ming, "/history") and "composer" in copy_of(ming, "/"))
        assert all(text in copy_of(ming, "/history") for text in gone)
        li.recalls(taken_back)
        li.deletes(deleted)
        li.says("再来一句")
        li.says("最后的记录")  # five, because the first one expires

        def has_forgotten() -> bool:
            kept = copy_of(ming, "/history")
            return "最后的记录" in kept and not any(text in kept for text in gone)

        ming.until(has_forgotten)
        port = int(room.address.rpartition(":")[2])
        room.process.terminate()
        room.process.wait(PATIENCE_SECONDS)
    ming.page.reload()
    ming.sees("最后的记录")
    assert not any(text in ming.page.content() for text in gone)
    expect(ming.page.locator("#banner")).to_contain_text("没有网络")
    with serving(tmp_path / "data", port, **settings):
        # When the page is online again it comes from the server at once, without anything of the copy.
        li.says("新的一句")
        ming.page.reload()
        ming.sees("新的一句")
        ming.until(lambda: "新的一句" in copy_of(ming, "/history"))
        ming.page.click("[data-opens=own-menu]:visible")
        ming.page.click("#own-menu form [type=submit]")
        ming.page.wait_for_url("**/login/")
        ming.until(lambda: ming.page.evaluate("() => caches.keys()") == [])
    ming.context.close()


def copy_of(visitor: Visitor, address: str) -> str:
    """What the browser has stored for `address`; "" for nothing."""
    return str(visitor.page.evaluate("async address => (await (await caches.match(address))?.text()) ?? ''", address))
