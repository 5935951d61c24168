"""Sending: pending at once, confirmed by the ack, failed with a reason, stored while offline, in the server's order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import Visitor
from tests.browser.line import Line
from tests.browser.pictures import pick, png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
# The number of unsent messages that the browser stores.
SHELVED = """() => new Promise(done => {
    indexedDB.open("chat").onsuccess = ({target}) => {
        const count = target.result.transaction("unsent").objectStore("unsent").count();
        count.onsuccess = () => { target.result.close(); done(count.result); };
    };
})"""


def test_a_message_is_shown_at_once_and_settled_by_the_servers_word(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")
    line.holds()
    ming.say("马上就在")
    pending = ming.page.locator('#messages article[data-state=pending]:has-text("马上就在")')
    expect(pending).to_be_visible()
    expect(pending).to_contain_text("发送中")
    line.releases()
    ming.sees("马上就在")
    expect(ming.page.locator('#messages article:has-text("马上就在")')).to_have_count(1)
    assert ming.page.locator("#messages article[data-state=pending]").count() == 0


def test_what_was_refused_says_why_and_goes_when_tried_again(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")

    def refuse(frame: dict[str, Any]) -> dict[str, Any] | None:
        if frame["type"] != "post":
            return frame
        line.says({"type": "refused", "client_id": frame["client_id"], "code": "muted", "message": "你已被禁言"})
        return None

    line.up = refuse
    ming.say("被拒绝的话")
    failed = ming.page.locator('#messages article[data-state=failed]:has-text("被拒绝的话")')
    expect(failed).to_contain_text("你已被禁言")
    ming.page.reload()
    ming.wait_online()
    expect(failed).to_contain_text("你已被禁言")
    line.up = lambda frame: frame
    failed.locator("[data-unsent=retry]").click()
    ming.sees("被拒绝的话")
    expect(failed).to_have_count(0)


def test_an_unsent_message_can_be_taken_back_into_the_field(come: Come) -> None:
    ming = come()
    line = Line(ming)
    ming.join("小明")
    line.up = lambda frame: (
        line.says({"type": "refused", "client_id": frame["client_id"], "code": "muted", "message": "不行"})
        if frame["type"] == "post"
        else frame
    )
    ming.say("取回来改")
    ming.page.click('#messages article[data-state=failed]:has-text("取回来改") [data-unsent=discard]')
    expect(ming.field).to_have_value("取回来改")
    assert ming.page.locator("#messages article[data-state=failed]").count() == 0


def test_words_and_pictures_sent_while_offline_survive_a_reload_and_arrive_once_each(come: Come) -> None:
    ming, li = come(), come("莉莉")
    line = Line(ming)
    ming.join("小明")
    line.cuts(requests=True)
    ming.page.wait_for_selector("#connection:not([data-state=online])", state="attached")
    ming.say("断网时写的")
    pick(ming, png("orchid"))
    ming.field.fill("断网时的图")
    ming.page.click("#composer [type=submit]")
    unsent = ming.page.locator("#messages article[data-state=pending]")
    expect(unsent).to_have_count(2)
    # A page shows the messages before the browser has stored them, and a reload does not wait for the storage.
    ming.until(lambda: ming.page.evaluate(SHELVED) == 2)
    ming.page.reload()
    expect(unsent).to_have_count(2)
    expect(unsent.last.locator("img.picture, .picture img")).to_have_count(1)
    line.mends()
    for text in ("断网时写的", "断网时的图"):
        li.sees(text)
        ming.sees(text)
    li.page.reload()
    for text in ("断网时写的", "断网时的图"):
        li.sees(text)
        assert li.page.locator(li.article(text)).count() == 1
    expect(unsent).to_have_count(0)
    ming.complaints.clear()  # clear the errors of the requests that could not be sent


def test_where_the_browser_keeps_nothing_the_draft_goes_only_with_the_servers_word(come: Come) -> None:
    """In a private window, storage may be refused: then the draft keeps the unsent text."""
    ming = come()
    ming.page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('no', 'SecurityError'); };")
    line = Line(ming)
    ming.join("没有地方的人")
    line.up = lambda frame: None if frame["type"] == "post" else frame
    ming.say("还没到的话")
    expect(ming.page.locator('#messages article[data-state=pending]:has-text("还没到的话")')).to_be_visible()
    ming.page.reload()
    expect(ming.field).to_have_value("还没到的话")
    line.up = lambda frame: frame
    ming.wait_online()
    ming.page.click("#composer [type=submit]")
    ming.sees("还没到的话")
    ming.page.reload()
    ming.wait_online()
    expect(ming.field).to_have_value("")


def test_a_message_whose_ack_was_lost_is_sent_again_and_stored_once(come: Come) -> None:
    ming, li = come(), come("莉莉")
    line = Line(ming)
    ming.join("小明")
    line.down = lambda frame: None if frame["type"] in ("ack", "message") else frame
    ming.say("回执丢了")
    li.sees("回执丢了")
    expect(ming.page.locator('#messages article[data-state=pending]:has-text("回执丢了")')).to_be_visible()
    line.down = lambda frame: frame
    line.drops()
    ming.sees("回执丢了")
    for visitor in (ming, li):
        assert visitor.page.locator(visitor.article("回执丢了")).count() == 1


def test_the_servers_order_wins(come: Come) -> None:
    ming, li = come(), come("莉莉")
    line = Line(ming)
    ming.join("小明")
    kept: list[dict[str, Any]] = []
    line.up = lambda frame: kept.append(frame) if frame["type"] == "post" else frame  # type: ignore[func-returns-value]
    ming.say("我先写的")
    expect(ming.page.locator('#messages article[data-state=pending]:has-text("我先写的")')).to_be_visible()
    li.say("但这句先到")
    ming.sees("但这句先到")
    line.up = lambda frame: frame
    line.drops()
    ming.sees("我先写的")
    li.sees("我先写的")
    for visitor in (ming, li):
        texts = visitor.page.locator("#messages article[data-id] .message-text").all_inner_texts()
        assert texts[-2:] == ["但这句先到", "我先写的"]
