"""The announcement is fetched when it is opened. A new one opens once for each reader who has not seen it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor
from tests.browser.pictures import png

Visit = Callable[..., Visitor]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])


@pytest.fixture
def announce(room: RoomProcess) -> Callable[[str], str]:
    """Publish a picture of this colour. Returns its address."""
    wang = Caller(room.address, ADMINISTRATOR)
    return lambda colour: str(wang.send("/upload_global_background", {}, png(colour))["image"])


def fetched(visitor: Visitor) -> list[str]:
    """The announcements that this page requests after this call."""
    requests: list[str] = []
    visitor.page.on(
        "request", lambda request: requests.append(request.url) if "/media/announcements/" in request.url else None
    )
    return requests


def opens(visitor: Visitor, kind: dict[str, object]) -> None:
    if kind is PHONE:
        visitor.page.click("[data-opens=more], [data-opens=menu]")
    visitor.page.locator("[data-opens=announcement]:visible").click()


def dialog_is_open(visitor: Visitor) -> bool:
    return bool(visitor.page.evaluate("() => document.querySelector('#announcement').open"))


def test_it_is_fetched_when_it_is_opened_and_not_before(visit: Visit, announce: Callable[[str], str]) -> None:
    image = announce("teal")
    ming = visit()
    requests = fetched(ming)
    ming.join("小明")
    opener = ming.page.locator("[data-opens=announcement]:visible")
    expect(ming.page.locator("[data-opens=own-menu]")).not_to_have_attribute("data-unseen", "")
    expect(opener).to_have_attribute("data-unseen", "")
    ming.page.reload()
    ming.wait_online()
    assert requests == [] and not dialog_is_open(ming)
    opener.click()
    ming.page.wait_for_function("() => document.querySelector('#announcement img').naturalWidth > 0")
    assert [request.endswith(image) for request in requests] == [True]
    ming.page.keyboard.press("Escape")
    expect(opener).not_to_have_attribute("data-unseen", "")


@both_pages
def test_a_new_one_is_shown_once(visit: Visit, announce: Callable[[str], str], kind: dict[str, object]) -> None:
    announce("teal")
    ming = visit(**kind)
    ming.page.clock.install()
    ming.join("小明")
    second = announce("tomato")
    expect(ming.page.locator("#announcement")).to_have_attribute("open", "")
    expect(ming.page.locator("#announcement img")).to_have_attribute("src", second)
    ming.page.keyboard.press("Escape")
    ming.page.reload()
    ming.wait_online()
    ming.page.clock.run_for(2_500)  # longer than the page waits for a free moment
    assert not dialog_is_open(ming)


def test_who_was_away_sees_it_at_the_next_visit_once(visit: Visit, announce: Callable[[str], str]) -> None:
    ming = visit("小明")
    ming.page.goto("about:blank")
    image = announce("tomato")
    ming.open_room()
    expect(ming.page.locator("#announcement")).to_have_attribute("open", "")
    expect(ming.page.locator("#announcement img")).to_have_attribute("src", image)


def test_it_waits_while_the_reader_writes_or_looks_elsewhere(visit: Visit, announce: Callable[[str], str]) -> None:
    ming = visit()
    ming.page.clock.install()
    ming.join("小明")
    requests = fetched(ming)
    ming.field.fill("还没写完")
    announce("tomato")
    expect(ming.page.locator("[data-opens=announcement]:visible")).to_have_attribute("data-unseen", "")
    ming.page.clock.run_for(1_500)  # long enough for the page to look for a free moment
    assert not dialog_is_open(ming) and requests == []
    ming.page.press("#composer textarea", "Enter")
    expect(ming.page.locator("#announcement")).to_have_attribute("open", "")


def test_another_tab_that_showed_it_is_enough(visit: Visit, announce: Callable[[str], str]) -> None:
    ming = visit()
    ming.page.clock.install()
    ming.join("小明")
    other = ming.context.new_page()
    other.goto(ming.address)
    other.wait_for_selector("#connection[data-state=online]", state="attached")
    ming.hides()
    announce("tomato")
    expect(other.locator("#announcement")).to_have_attribute("open", "")
    ming.hides(False)
    ming.page.clock.run_for(2_500)
    assert not dialog_is_open(ming)


def test_a_reader_who_has_it_open_sees_the_next_one(visit: Visit, announce: Callable[[str], str]) -> None:
    announce("teal")
    guest = visit()
    guest.open_room()
    guest.page.locator("[data-opens=announcement]:visible").click()
    second = announce("tomato")
    expect(guest.page.locator("#announcement img")).to_have_attribute("src", re.compile(re.escape(second)))


def test_a_phone_marks_the_menu_that_holds_its_button(visit: Visit, announce: Callable[[str], str]) -> None:
    announce("teal")
    ming = visit(**PHONE)
    ming.join("小明")
    menu = ming.page.locator("[data-opens=own-menu]")
    expect(menu).to_have_attribute("data-unseen", "")
    menu.click()
    ming.page.locator("[data-opens=announcement]:visible").click()
    ming.page.wait_for_selector("#announcement[open]")
    expect(menu).not_to_have_attribute("data-unseen", "")
