"""How the page starts: on slow lines, without one of its modules, and which files a guest's page fetches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.browser.caller import Caller
from tests.browser.conftest import DESKTOP, PHONE, Visitor

Come = Callable[..., Visitor]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
MEMBERS_ALONE = {
    "features/reply", "features/drafts", "features/attachments", "features/read", "features/mention",
    "elements/message_menu", "elements/order_sheet", "net/http",
}  # fmt: skip


def test_a_guest_fetches_nothing_that_only_members_use(come: Come) -> None:
    guest = come()
    guest.page.clock.install()
    fetched: list[str] = []
    guest.page.on("request", lambda request: fetched.append(request.url))
    guest.open_room()
    guest.page.clock.run_for(2_500)  # files that are fetched before their use come after 1.5 s
    guest.page.wait_for_load_state("networkidle")
    names = {url.rpartition("/js/")[2].removesuffix(".js") for url in fetched if "/js/" in url}
    assert names & MEMBERS_ALONE == set()
    assert "features/connection" in names


@both_pages
def test_a_module_that_cannot_be_fetched_is_told_with_a_way_on(come: Come, kind: dict[str, Any]) -> None:
    ming = come(**kind)
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    ming.page.route("**/features/react.js", lambda route: route.abort())
    ming.page.goto(ming.address)
    banner = ming.page.locator("#banner")
    expect(banner).to_contain_text("页面没有加载完整，请刷新")
    ming.page.unroute("**/features/react.js")
    banner.locator("button").click()
    ming.wait_online()
    expect(banner).to_be_hidden()
    ming.complaints.clear()  # clear the error of the module that failed


def test_frames_of_a_connection_that_closed_while_modules_loaded_are_not_delivered(come: Come) -> None:
    """The page is online only with a connection: frames of a closed connection are dropped."""
    ming = come()
    ming.context.add_cookies(Caller(ming.address, "小明").cookies())
    held: list[Route] = []
    ming.page.route("**/features/react.js", lambda route: held.append(route))
    sockets: list[Any] = []

    def first_closes(ws: Any) -> None:
        server = ws.connect_to_server()
        sockets.append(ws)
        if len(sockets) == 1:

            def pass_on(message: Any) -> None:
                ws.send(message)
                ws.close()

            server.on_message(pass_on)

    ming.page.route_web_socket("**/ws/chat/**", first_closes)
    ming.page.goto(ming.address)
    ming.until(lambda: held and sockets)
    ming.page.wait_for_timeout(300)
    for route in held:
        route.continue_()
    ming.wait_online()
    ming.until(lambda: len(sockets) >= 2)
    ming.say("连上了")
    ming.sees("连上了")
    expect(ming.page.locator("#messages article[data-id]").last).to_contain_text("连上了")
