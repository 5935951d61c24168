"""Another process locks the database: the page keeps the messages, and sends them when the lock is released."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import RoomProcess, Visitor
from tests.browser.pictures import png


def test_texts_and_pictures_are_sent_when_the_database_is_free_again(
    visit: Callable[..., Visitor], room: RoomProcess
) -> None:
    ming, li = visit("小明"), visit("莉莉")
    other = sqlite3.connect(room.data_dir / "chat.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ming.say("等一下再存")
    ming.page.set_input_files(
        "input[type=file][name=image]", {"name": "a.png", "mimeType": "image/png", "buffer": png(size=(40, 40))}
    )
    ming.page.click("#composer [type=submit]")
    with ming.page.expect_response(lambda response: response.url.endswith("/post/")) as answer:
        expect(ming.page.locator(".message-waiting, .upload").first).to_be_visible()
    code = answer.value.json()["error"]["code"]
    assert (answer.value.status, code) == (503, "busy")
    assert ming.page.locator(".message-status--failed").count() == 0
    other.execute("ROLLBACK")
    other.close()
    li.sees("等一下再存")
    expect(li.page.locator("#messages article[data-id] .picture")).to_have_count(1)
    expect(li.page.locator("#messages article[data-id]")).to_have_count(2)
    ming.complaints.clear()  # clear the browser's own line about the 503
