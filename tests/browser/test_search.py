"""Searching by words, author and day, and going to a day, on both pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
SETTINGS = {"send_interval": "0", "history_limit": "1000"}


@pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_by_author_and_day(come: Come, call: Call, kind: dict[str, Any]) -> None:
    call("莉莉").says("今天的第一句")
    for number in range(60):
        call("阿泽").says(f"阿泽的第 {number} 句")
    call("莉莉").says("莉莉的蓝莓")
    ming = come("小明", **kind)
    page = ming.page
    search = page.locator("#search")
    hits = search.locator(".search-hit")
    page.locator("[data-opens=search]:visible").first.click()
    expect(hits).to_have_count(0)
    search.locator("[name=by]").fill("莉莉")
    expect(hits.first).to_contain_text("莉莉的蓝莓")
    assert set(hits.locator(".message-author").all_text_contents()) == {"莉莉"}
    search.locator("[name=q]").fill("找不到")
    expect(search.locator(".search-state")).to_contain_text("没有找到“找不到”")
    search.locator("[name=q]").fill("")
    search.locator("[name=by]").fill("")
    today = page.evaluate("new Date(JSON.parse(document.getElementById('page-data').textContent).now_ms + 8 * 3600000)"
                          ".toISOString().slice(0, 10)")  # fmt: skip
    expect(search.locator("[name=go]")).to_be_hidden()
    search.locator("[name=day]").fill(today)
    expect(hits).to_have_count(50)
    [first] = call("莉莉").reads(f"/api/messages/?first={today}")["messages"]
    search.locator("[name=go]").click()
    expect(search).to_be_hidden()
    expect(page.locator(f"article[data-id='{first['id']}']")).to_be_in_viewport()
    page.locator("[data-opens=search]:visible").first.click()
    search.locator("[name=day]").fill("2020-01-01")
    expect(search.locator(".search-state")).to_have_text("没有找到")
    search.locator("[name=go]").click()
    expect(search.locator(".search-state")).to_have_text("这一天没有消息")


@pytest.mark.parametrize(("kind", "name"), [(DESKTOP, "久未露面"), (PHONE, "很少露面")], ids=["desktop", "phone"])
def test_an_author_who_is_neither_online_nor_on_the_page_is_found(
    come: Come, call: Call, kind: dict[str, Any], name: str
) -> None:
    call(name).says("很久以前的话")
    call("阿泽").says_many(120)
    ming = come("小明", **kind)
    search = ming.page.locator("#search")
    ming.page.locator("[data-opens=search]:visible").first.click()
    author = search.locator("[name=by]")
    expect(search.locator("#search-authors option[value=阿泽]")).to_have_count(1)
    expect(search.locator(f"#search-authors option[value={name}]")).to_have_count(0)
    author.fill(name[:2])
    expect(search.locator(f"#search-authors option[value={name}]")).to_have_count(1)
    author.fill(name)
    expect(search.locator(".search-hit")).to_have_count(1)
    search.locator(".search-hit").click()
    expect(ming.page.locator("#messages article", has_text="很久以前的话").first).to_be_in_viewport()


def test_a_guest_writes_the_authors_whole_name(come: Come, call: Call) -> None:
    call("路过的人").says("给游客看的话")
    call("阿泽").says_many(60)
    guest = come()
    guest.open_room()
    guest.page.locator("[data-opens=search]:visible").first.click()
    author = guest.page.locator("#search [name=by]")
    author.fill("路过的人")
    author.press("Enter")
    expect(guest.page.locator("#search .search-hit")).to_have_count(1)
    guest.complaints.clear()  # guests get no names from the server
