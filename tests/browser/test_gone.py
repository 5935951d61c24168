"""A recalled or deleted message leaves every place of the page that held a copy of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])

# All data that the page or its browser holds and a reader could get at, as one text.
HELD = """async () => {
    const found = [document.documentElement.outerHTML, document.title];
    for (const field of document.querySelectorAll('input, textarea')) found.push(field.value);
    for (const each of document.querySelectorAll('template')) found.push(each.innerHTML);
    for (const store of [localStorage, sessionStorage]) found.push(JSON.stringify({...store}));
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
            const answer = await cache.match(request);
            if (/text|json/.test(answer.headers.get('Content-Type') ?? '')) found.push(await answer.text());
        }
    }
    found.push(JSON.stringify((window.shown ?? []).filter(each => !each.closed).map(each => [each.title, each.body])));
    return found.join('\\n');
}"""
# A headless browser shows no notification, so this records which ones the page shows and closes.
NOTIFICATIONS = """
    window.shown = [];
    window.Notification = class extends EventTarget {
        static permission = 'granted';
        static async requestPermission() { return 'granted'; }
        constructor(title, options) {
            super();
            Object.assign(this, {title, body: options.body, closed: false});
            window.shown.push(this);
        }
        close() { this.closed = true; }
    };
"""


def held(page: Page) -> str:
    found: str = page.evaluate(HELD)
    return found


@both_pages
@pytest.mark.parametrize("way", ["recalls", "deletes"])
def test_no_place_keeps_what_is_gone(come: Come, call: Call, kind: dict[str, Any], way: str) -> None:
    ming = come(**{**kind, "service_workers": "block"})
    ming.page.add_init_script(NOTIFICATIONS)
    ming.join("小明")
    page = ming.page
    page.evaluate(
        "localStorage.setItem(`notify:${JSON.parse(document.getElementById('page-data').textContent).user.id}`, 'on')"
    )
    li = call("莉莉")
    end = getattr(li, way)

    def planted(words: str) -> dict[str, Any]:
        message = li.says(words)
        ming.sees(words)
        return message

    def gone(message: dict[str, Any], words: str) -> None:
        assert words in held(page), "it was never there"
        end(message)
        ming.until(lambda: words not in held(page))

    plain = planted("埋下的第一句话")
    gone(plain, "埋下的第一句话")

    replied = planted("正在被回复的话")
    ming.act("正在被回复的话", "reply")
    expect(page.locator(".composer-reply")).to_contain_text("正在被回复的话")
    gone(replied, "正在被回复的话")
    expect(page.locator(".composer-reply")).to_be_hidden()

    quoted = planted("被人引用的话")
    call("阿泽").says("我引用了", reply_to=quoted["id"])
    ming.sees("我引用了")
    gone(quoted, "被人引用的话")

    found = planted("搜得到的一句话")
    if kind is PHONE:
        page.click("[data-opens=search]")
    else:
        page.click(".room-tools [data-opens=search]")
    page.fill("#search [name=q]", "搜得到")
    expect(page.locator("#search .search-hit")).to_have_count(1)
    gone(found, "搜得到的一句话")
    page.fill("#search [name=q]", "")
    page.keyboard.press("Escape")

    chosen = planted("菜单开着的那句话")
    article = page.locator(ming.article("菜单开着的那句话")).last
    article.hover()
    article.locator("[data-action=menu]").click()
    expect(page.locator("#message-menu")).to_be_visible()
    gone(chosen, "菜单开着的那句话")
    expect(page.locator("#message-menu")).to_be_hidden()

    ming.hides()
    told = planted("@小明 通知里的话")
    ming.until(lambda: page.evaluate("window.shown.length"))
    gone(told, "通知里的话")
    ming.hides(False)


def test_the_title_counts_what_is_there_and_unread_on_all_devices(come: Come, call: Call) -> None:
    ming, other = come(), come(**PHONE)
    for visitor in (ming, other):
        visitor.join("小明")
    li = call("莉莉")
    other.hides()
    ming.hides()
    posted = [li.says(f"未读第 {n} 条") for n in range(4)]
    expect(ming.page).to_have_title("(4) 聊天室")
    li.recalls(posted[0])
    li.deletes(posted[1])
    expect(ming.page).to_have_title("(2) 聊天室")
    other.hides(False)  # the phone has read it
    expect(ming.page).to_have_title("聊天室")


def test_all_tabs_show_one_draft(come: Come) -> None:
    one = come("小明")
    two = Visitor(one.context, one.address)
    two.open_room()
    one.field.fill("写了一半")
    expect(two.field).to_have_value("写了一半")
    two.say("写完了")
    two.sees("写完了")
    expect(one.field).to_have_value("")
    two.page.close()


@both_pages
def test_what_is_inserted_can_be_undone(come: Come, kind: dict[str, Any]) -> None:
    ming = come("小明", **kind)
    ming.field.fill("")
    ming.field.press_sequentially("ab")
    if kind is PHONE:
        ming.page.click("[data-opens=plus]")
    ming.page.locator("[data-opens=emoji]:visible").click()
    ming.page.locator("#emoji button").first.click()
    glyph = ming.page.locator("#emoji button").first.text_content()
    expect(ming.field).to_have_value(f"ab{glyph}")
    ming.page.keyboard.press("Control+z")
    expect(ming.field).to_have_value("ab")
    ming.page.keyboard.press("Control+Shift+z")
    expect(ming.field).to_have_value(f"ab{glyph}")


@both_pages
def test_going_back_closes_what_is_open_and_stays_in_the_room(come: Come, kind: dict[str, Any]) -> None:
    ming = come("小明", **kind)
    page = ming.page
    here = page.evaluate("history.length")
    page.locator("[data-opens=search]:visible").click()
    expect(page.locator("#search")).to_be_visible()
    page.go_back()
    expect(page.locator("#search")).to_be_hidden()
    assert page.url.rstrip("/") == ming.address
    # The dialog is closed in another way, so it must leave no entry in the history.
    for _ in range(3):
        page.locator("[data-opens=search]:visible").click()
        expect(page.locator("#search")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#search")).to_be_hidden()
        ming.until(lambda: not page.evaluate("Boolean(history.state?.dialog)"))
    assert page.evaluate("history.length") <= here + 1
    ming.say("还在这里")
    ming.sees("还在这里")


def test_a_new_role_is_there_at_once(come: Come, call: Call) -> None:
    ming = come("升职的人")
    boss = call("小王")
    number = call("升职的人").user["id"]
    ming.field.fill("没写完的话")
    expect(ming.page.locator("[data-preset=start]")).to_have_count(0)
    boss.send(f"/members/{number}/", {"act": "promote"})
    expect(ming.page.locator("[data-preset=start]")).to_have_count(1)
    expect(ming.field).to_have_value("没写完的话")
    boss.send(f"/members/{number}/", {"act": "demote"})
    expect(ming.page.locator("[data-preset=start]")).to_have_count(0)


def test_a_file_that_was_copied_in_a_file_manager_is_attached(come: Come) -> None:
    ming = come("小明")
    paste = """([text, name, bytes]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
        if (text) data.setData('text/plain', text);
        document.querySelector('#composer textarea').dispatchEvent(
            new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
    }"""
    picture = list(png(size=(20, 10)))
    ming.field.focus()
    ming.page.evaluate(paste, ["1\t2\n3\t4", "image.png", picture])  # cells of a spreadsheet, whose text is pasted
    ming.page.wait_for_timeout(200)
    assert ming.page.locator(".attachments li").count() == 0
    ming.page.evaluate(paste, ["照片 1.png", "照片 1.png", picture])
    expect(ming.page.locator(".attachments li")).to_have_count(1)
    ming.page.evaluate(paste, ["", "image.png", picture])
    expect(ming.page.locator(".attachments li")).to_have_count(2)
