"""Two hundred hostile strings as messages, names and titles in a real browser: they stay text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import ADMINISTRATOR, PHONE
from tests.browser.markup.hostile_strings import HOSTILE
from tests.browser.markup.scene import Scene, listen, skeletons

SEEN = 'article[data-id] .message-text:has-text("{}")'
# For every message: its text, the nodes of its text, the addresses of its links, and the rest of it.
MESSAGES = """() => [...document.querySelectorAll("article[data-id]")].map((article) => {
  const text = article.querySelector(".message-text");
  const inside = text ? [...text.querySelectorAll("*")] : [];
  const hosts = inside.filter((e) => e.matches(".link-host"));
  const rest = [...article.querySelectorAll("*")].filter((e) => !inside.includes(e));
  return {
    text: hosts.reduce((all, { textContent }) => all.replace(textContent, ""), text?.textContent ?? ""),
    inside: inside.map((e) => e.localName),
    attributes: inside.flatMap((e) => e.getAttributeNames()),
    protocols: inside.filter((e) => e.href !== undefined).map((e) => new URL(e.href).protocol),
    rest: rest.map((e) => e.localName),
    handlers: rest.flatMap((e) => e.getAttributeNames()).filter((name) => name.startsWith("on")),
  };
})"""

KEEPS_TYPING = """() => setInterval(() => {
  document.querySelector("#composer textarea[name=text]").dispatchEvent(new Event("input", {bubbles: true}));
}, 500)"""


@pytest.mark.parametrize("ui", ["desktop", "mobile"])
def test_messages_names_and_quotes_are_text_on_both_pages(scene: Scene, ui: str) -> None:
    """The first hundred are in the history, the others are posted while the page is open."""
    page = scene.page
    page.goto(f"{scene.room.address}/?ui={ui}")
    page.wait_for_selector("#connection[data-state=online]", state="attached")
    for text in HOSTILE[100:]:
        answer = scene.sent("/post/", {"Accept": "application/json"}, text=text)
        assert answer.status == 201, answer.text()
    scene.sent("/post/", {"Accept": "application/json"}, text="the last of them")
    page.wait_for_selector(SEEN.format("the last of them"))
    shown = page.evaluate(MESSAGES)
    assert {each["text"] for each in shown} >= {text.strip() for n, text in enumerate(HOSTILE) if n > 100}
    for each in shown:
        assert set(each["inside"]) <= {"a", "mark", "span"}, each
        assert set(each["attributes"]) <= {"href", "dir", "target", "rel", "class"}, each
        assert set(each["protocols"]) <= {"http:", "https:"}, each
        assert not each["handlers"], each
        assert not {"script", "iframe", "object", "embed", "style", "link", "form", "video", "base"} & set(each["rest"])
    assert len({json.dumps(each["rest"]) for each in shown}) <= 12, "a message is of one of a few kinds"
    page.click("text=the last of them")
    for link in page.locator(".message-text a").all()[:10]:
        link.hover()


def test_what_is_searched_for_and_found_is_text(scene: Scene) -> None:
    page = scene.page
    page.goto(scene.room.address + "/?ui=desktop")
    page.wait_for_selector("#connection[data-state=online]", state="attached")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement?.blur()")
    page.keyboard.press("/")
    page.wait_for_selector("#search[open]")
    page.fill("#search input[name=q]", "alert(")
    page.wait_for_selector("#search .search-results li")
    for text in HOSTILE[::10]:
        page.fill("#search input[name=q]", text.replace("\n", " ")[:100])
        page.wait_for_timeout(30)  # some searches are done, and some are overtaken by the next, as when a reader types
    page.fill("#search input[name=q]", "alert(")
    page.wait_for_selector("#search .search-results li")
    found = page.evaluate(
        "() => [...document.querySelectorAll('#search .search-results *')]"
        ".map((e) => `${e.localName} ${e.getAttributeNames()}`)"
    )
    assert {each.partition(" ")[0] for each in found} <= {
        "li",
        "button",
        "mark",
        "time",
        "bdi",
        "span",
        "p",
        "img",
        "svg",
        "use",
    }
    assert not [each for each in found if " on" in each or ",on" in each]


def test_the_rooms_name_is_text_while_it_changes(scene: Scene) -> None:
    page = scene.page
    page.goto(scene.room.address + "/?ui=desktop")
    page.wait_for_selector("#connection[data-state=online]", state="attached")
    before = page.locator(".room-name *").count()
    taken = 0
    for text in HOSTILE:
        taken += scene.sent("/settings/", room_name=text).status == 303
    assert taken > 100
    last = next(text for text in reversed(HOSTILE) if len(text) <= 40 and text.isprintable())
    scene.sent("/settings/", room_name=last)
    page.wait_for_function("(name) => document.querySelector('.room-name bdi').textContent === name", arg=last.strip())
    assert page.locator(".room-name *").count() == before
    for path in ("/", "/?ui=mobile", "/settings/", "/profile/", "/nowhere/"):
        page.goto(scene.room.address + path)
    scene.sent("/settings/", reset="room_name")


# Names


@pytest.mark.parametrize("path", ["/profile/", "/logout/", "/?ui=desktop", "/?ui=mobile"])
def test_a_hostile_name_is_text_on_its_own_pages(scene: Scene, browser: Browser, path: str) -> None:
    context = browser.new_context(locale="zh-CN")
    found = {}
    for n, name in enumerate(HOSTILE):
        headers = {"Cookie": f"session=token-{n}", "Accept": "text/html"}
        found[name] = context.request.get(scene.room.address + path, headers=headers, max_redirects=0).text()
        assert "alert(" not in name or f"alert({n})" in found[name], "this page is somebody else's"
    context.close()
    assert len({json.dumps(made) for made in skeletons(scene, found).values()}) == 1


def test_hostile_names_are_text_among_those_present_and_those_who_type(scene: Scene, browser: Browser) -> None:
    page = scene.page
    page.goto(scene.room.address + "/?ui=desktop")
    page.wait_for_selector("#connection[data-state=online]", state="attached")
    others = []
    for n in (0, 9, 130):
        other = browser.new_context(locale="zh-CN", **(PHONE if n == 9 else {}))  # type: ignore[arg-type]
        listen(scene, other)
        other.add_cookies([{"name": "session", "value": f"token-{n}", "url": scene.room.address}])
        others.append(other)
        theirs = other.new_page()
        theirs.goto(scene.room.address)
        theirs.wait_for_selector("#connection[data-state=online]", state="attached")
        theirs.locator("#composer textarea[name=text]").press_sequentially("x")
        page.wait_for_function(
            "(name) => document.querySelector('[data-members]').textContent.includes(name)", arg=HOSTILE[n]
        )
    # Names of members who have stopped typing are not shown any more.
    theirs.evaluate(KEEPS_TYPING)
    page.wait_for_function("document.getElementById('typing').textContent !== ''")
    assert page.locator("#typing *").count() == 0
    rows = page.evaluate("() => [...document.querySelectorAll('[data-members] *')].map((e) => e.localName)")
    assert set(rows) <= {"li", "button", "span", "bdi", "img", "svg", "use"}
    page.locator("#composer textarea[name=text]").press_sequentially("@")
    page.locator("#mentions [role=option]").first.wait_for()
    for other in others:
        other.close()


def test_hostile_names_and_devices_are_text_in_the_lists(scene: Scene) -> None:
    page = scene.page
    page.goto(scene.room.address + "/members/")
    seen: set[str] = set()
    while True:
        rows: list[Any] = page.evaluate(
            "() => [...document.querySelectorAll('.one-member[data-member]')].map((row) => ({"
            " name: row.querySelector('bdi').textContent,"
            " made: [...row.querySelectorAll('*')].map((e) => e.localName).join() }))"
        )
        seen |= {row["name"] for row in rows}
        assert len({row["made"] for row in rows if row["name"] != ADMINISTRATOR}) == 1
        more = page.locator("main p > a.button")
        if not more.count():
            break
        more.click()
        page.wait_for_load_state()
    assert seen >= set(HOSTILE)
    page.goto(scene.room.address + "/profile/")
    rows = page.evaluate(
        "() => [...document.querySelectorAll('li.session')]"
        ".map((row) => [...row.querySelectorAll('*')].map((e) => e.localName).join())"
    )
    assert len(rows) == 20 and len(set(rows)) <= 2, "this device has a tag"
