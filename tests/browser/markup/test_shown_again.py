"""Two hundred hostile strings, typed into every form and address whose page shows them again: they stay text."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import APIRequestContext, Browser

from tests.browser.markup.hostile_strings import HOSTILE
from tests.browser.markup.scene import Scene, listen, skeletons, values

HTML = {"Accept": "text/html"}


class Guest:
    """A guest, and the answers that the guest gets."""

    def __init__(self, scene: Scene, request: APIRequestContext) -> None:
        self._address, self._request = scene.room.address, request
        self._token = self.got("/login/").split('name="csrf-token" content="')[1].split('"')[0]

    def got(self, path: str) -> str:
        return self._request.get(self._address + path, headers=HTML).text()

    def sent(self, path: str, **fields: str) -> str:
        headers = {**HTML, "X-CSRFToken": self._token}
        return self._request.post(self._address + path, form=fields, headers=headers, max_redirects=0).text()


@pytest.fixture
def guest(scene: Scene, browser: Browser) -> Iterator[Guest]:
    context = browser.new_context(locale="zh-CN")
    yield Guest(scene, context.request)
    context.close()


def escaped(text: str) -> str:
    return quote(text, safe="")


def test_registering_with_it(scene: Scene, guest: Guest) -> None:
    pages = {text: guest.sent("/register/", username=text, invite=text, password=text) for text in ["a/b", *HOSTILE]}
    same_elements(scene, pages)
    says(scene, pages, "input[name=username]")


def test_being_invited_by_it(scene: Scene, guest: Guest) -> None:
    scene.sent("/settings/", registration="invite")
    pages = {text: guest.got(f"/register/?invite={escaped(text)}") for text in ["a/b", *HOSTILE]}
    scene.sent("/settings/", reset="registration")
    same_elements(scene, pages)
    says(scene, pages, "input[name=invite]")


def test_logging_in_with_it(scene: Scene, guest: Guest) -> None:
    for n in range(21):  # so that all of them are refused for the same reason, the limit
        guest.sent("/login/", username=f"nobody{n}", password="none", next="/")
    pages = {text: guest.sent("/login/", username=text, password=text, next="/" + text) for text in ["a/b", *HOSTILE]}
    same_elements(scene, pages)
    says(scene, pages, "input[name=username]")


def test_setting_the_room_up_with_it(scene: Scene) -> None:
    names = ("room_name", "send_interval", "recall_seconds", "window_seconds", "history_hours", "image_max_kb")
    pages = {
        text: scene.sent("/settings/", text_max=text, **dict.fromkeys(names, text)).text() for text in ["a/b", *HOSTILE]
    }
    same_elements(scene, pages)
    says(scene, pages, "input[name=text_max]")
    says(scene, pages, "input[name=send_interval]")


def test_looking_for_it_among_the_members(scene: Scene) -> None:
    pages = {text: scene.got(f"/members/?q={escaped(text)}") for text in ["a/b", *HOSTILE]}
    same_elements(scene, pages)
    says(scene, pages, "input[name=q]")


def test_pinning_it_above_the_conversation(scene: Scene) -> None:
    pages = {}
    for text in ["a/b", *HOSTILE]:
        assert scene.sent("/notice/", text=text).status == 303
        pages[text] = scene.got("/").replace("noscript", "div")  # parsed as by a browser that runs no script
    scene.sent("/notice/", text="")
    same_elements(scene, pages)


def test_getting_lost_there(scene: Scene) -> None:
    same_elements(scene, {text: scene.got(f"/nowhere/{escaped(text)}/?{escaped(text)}") for text in ["a/b", *HOSTILE]})


def same_elements(scene: Scene, pages: dict[str, str]) -> None:
    made = skeletons(scene, pages)
    assert len(made["a/b"]) > 20
    assert [text for text, elements in made.items() if elements != made["a/b"]] == []


def says(scene: Scene, pages: dict[str, str], selector: str) -> None:
    """Otherwise the pages could be equal because they do not show the string. A field has no line breaks."""
    found = values(scene, pages, selector)
    assert {text: found[text] for text in HOSTILE} == {text: text.replace("\n", "") for text in HOSTILE}


@pytest.mark.parametrize("text", HOSTILE[::16], ids=lambda text: text[-24:])
def test_nothing_runs_where_it_is_shown_again(scene: Scene, browser: Browser, text: str) -> None:
    """Load the same pages too, for every sixteenth string."""
    context = browser.new_context(locale="zh-CN")
    listen(scene, context)
    page = context.new_page()

    def typed(name: str) -> str:
        return page.input_value(f"input[name={name}]")

    page.goto(f"{scene.room.address}/login/?next={escaped('/' + text)}")
    page.fill("input[name=username]", text)
    page.fill("input[name=password]", text)
    page.click("main button[type=submit]")
    page.wait_for_selector("#form-error:not([hidden])")
    assert typed("username") == text.replace("\n", "")
    page.goto(f"{scene.room.address}/register/?invite={escaped(text)}")
    page.fill("input[name=username]", text)
    page.fill("input[name=password]", "long enough to be one")
    page.click("main button[type=submit]")
    page.wait_for_selector("#form-error:not([hidden])")
    assert typed("username") == text.replace("\n", "")
    scene.page.goto(f"{scene.room.address}/members/?q={escaped(text)}")
    context.close()
