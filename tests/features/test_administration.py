"""Each administrators' page links to all of them, which are the routes that have a title."""

from __future__ import annotations

import re

import pytest

from chatserver.http.access import Access
from chatserver.i18n import LANGUAGES, catalogue
from tests.client import HTML, House
from tests.declared import ROUTES

TITLES = {route.path: route.title for route in ROUTES if route.title}


def links(page: str) -> dict[str, str]:
    nav = re.search(r'<nav class="choices administration".*?</nav>', page, re.DOTALL)
    return dict(re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', nav[0])) if nav else {}


def test_every_page_of_administrators_has_a_title() -> None:
    pages = {
        route.path
        for route in ROUTES
        if (route.method, route.access) == ("GET", Access.ADMINISTRATOR) and route.path != "/orders/templates/"
    }
    assert set(TITLES) == pages, "the templates are JSON alone"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_page_links_to_all_of_them(house: House, language: str) -> None:
    admin = await house.administrator()
    expected = {path: catalogue(language)[title] for path, title in TITLES.items()}
    for path in TITLES:
        page = (await admin.page(f"{path}?lang={language}")).text
        assert links(page) == expected, path
        assert page.count(f'<a href="{path}" aria-current="page">') == 1
    assert links((await admin.page("/")).text) == expected, "the room without scripts"


async def test_nobody_else_is_shown_them(house: House) -> None:
    member, guest = await house.member("小明"), await house.guest()
    for browser in (member, guest):
        assert links((await browser.page("/")).text) == {}
    assert links((await member.get("/settings/", headers=HTML)).text) == {}


async def test_a_question_has_no_way_out_but_its_own(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/bots/", {"name": "小助手"}, headers=HTML)
    assert links(answer.text), "a page that answers a form"
    asked = await admin.post("/bots/", {"remove": "2"}, headers=HTML)
    assert "移除机器人 小助手？" in asked.text and links(asked.text) == {}
