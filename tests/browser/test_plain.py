"""Without JavaScript one can read, post and log out. If the script does not load, the page says so."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, RoomProcess, Visitor, until
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


def opened(browser: Browser, hall: RoomProcess, kind: dict[str, object], name: str) -> Page:
    """The room in a browser that runs no script of the page.

    Playwright's own switch does not show <noscript>. So the responses get a policy that allows all of a form, and no
    script.
    """
    context = browser.new_context(locale="zh-CN", **kind)  # type: ignore[arg-type]
    context.add_cookies(Caller(hall.address, name).cookies())  # type: ignore[arg-type]

    def without_scripts(route: Route) -> None:
        answer = route.fetch(max_redirects=0)
        headers = {**answer.headers, "content-security-policy": "sandbox allow-forms allow-same-origin"}
        route.fulfill(response=answer, headers=headers)

    context.route(lambda address: "/static/" not in address and "/media/" not in address, without_scripts)
    page = context.new_page()
    page.goto(hall.address)
    return page


def in_view(page: Page) -> list[str]:
    """The texts that can be read without scrolling. Playwright's own search cannot be used, because it ignores
    <noscript>."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('.plain p > span')].filter(node => {
            const { top, bottom } = node.getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;
        }).map(node => node.textContent)"""
    )
    return found


@both_pages
def test_without_javascript_one_reads_posts_and_leaves(
    browser: Browser, hall: RoomProcess, call: Call, kind: dict[str, object]
) -> None:
    li = call("莉莉")
    li.says_many(50, "很早的第 {} 条")
    li.says("不用脚本也能读")
    li.says("", image=png("teal"))
    page = opened(browser, hall, kind, "小明")
    until(page, lambda: "不用脚本也能读" in in_view(page))
    assert page.locator(".plain a[href^='/media/images/']").count() > 0
    page.fill("#composer textarea", "表单发的")
    page.click("#composer [type=submit]")
    until(page, lambda: li.newest()[-1]["text"] == "表单发的")
    page.goto(hall.address)  # the answer after a redirect does not go through the route
    until(page, lambda: "表单发的" in in_view(page))
    expect(page.locator("#composer input[type=file]")).to_be_in_viewport()
    page.click("a[href='/logout/']")
    page.click("main button[type=submit]")
    page.goto(hall.address)
    assert page.locator("#composer").count() == 0
    page.context.close()


@both_pages
def test_with_javascript_the_copy_is_gone(come: Come, call: Call, kind: dict[str, object]) -> None:
    said = call("莉莉").says("之后会撤回的话")
    ming = come("小明", **kind)
    ming.sees(said["text"])
    assert ming.page.locator("noscript[data-plain]").count() == 0


@both_pages
def test_a_page_whose_script_does_not_come_says_what_to_do(come: Come, kind: dict[str, object]) -> None:
    ming = come(**kind)
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    ming.page.route(re.compile(r"/js/room\.js$"), lambda route: route.abort())
    ming.page.goto(ming.address)
    expect(ming.page.locator("#late")).to_be_visible()
    expect(ming.page.locator("#late")).to_contain_text("请更新浏览器或微信")
    expect(ming.page.locator("#late")).to_contain_text("update your browser")
    ming.page.unroute(re.compile(r"/js/room\.js$"))
    ming.page.click("#late a")
    ming.wait_online()
    expect(ming.page.locator("#late")).to_be_hidden()
    ming.complaints.clear()


def test_a_page_whose_script_stops_half_way_says_so_after_some_seconds(come: Come) -> None:
    ming = come()
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    ming.page.clock.install()
    ming.page.route(re.compile(r"/js/words/words\.js$"), lambda route: route.fulfill(content_type="text/javascript"))
    ming.page.goto(ming.address)
    ming.page.clock.run_for(20_000)
    expect(ming.page.locator("#late")).to_be_visible()
    ming.complaints.clear()
