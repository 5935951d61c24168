"""The pictures of docs/orders.md, and how they are made: see test_readme_pictures.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import screenshots_orders
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, PHONE, RoomProcess, Visitor, serving
from tests.browser.kept_pictures import BYTES_MAX, keep
from tests.browser.screenshots_orders import WORDS
from tests.docs.pages import ROOT, text

NAMES = ["opening", "sheet", "ledger", "marks"]
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
NARROW = {"viewport": {"width": 900, "height": 1080}}


class Keeper:
    """Takes the pictures of the form, in the states that `screenshots_orders.opening` goes through."""

    def __init__(self, language: str) -> None:
        self._language = language

    def take(self, page: Page, state: str, *, full_page: bool = False) -> None:
        if state == "opening":
            keep(f"orders-opening-{self._language}", page.screenshot(full_page=True))


@pytest.fixture
def market(tmp_path: Path) -> Iterator[RoomProcess]:
    with serving(tmp_path / "data", send_interval="0") as room:
        yield room


@pytest.mark.parametrize("language", LOCALES)
def test_the_form_the_sheet_the_ledger_and_the_marks(browser: Browser, market: RoomProcess, language: str) -> None:
    def come(member: Caller, **options: object) -> Visitor:
        settings = {"locale": LOCALES[language], "timezone_id": "Asia/Shanghai", "service_workers": "block", **options}
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        context.add_cookies(member.cookies())  # type: ignore[arg-type]
        return Visitor(context, market.address)

    words = WORDS[language]
    wang, ming = Caller(market.address, ADMINISTRATOR), Caller(market.address, words["me"])
    desktop, phone = come(wang, **NARROW), come(ming, **PHONE)
    screenshots_orders.opening(Keeper(language), desktop, words)
    for number, name in enumerate(words["people"][1:7]):
        order = [{"item": 1, "quantity": str(1 + number % 3)}, {"item": 2, "quantity": f"{number + 1}.5"}]
        Caller(market.address, name).orders(order)
    phone.open_room()
    fill_sheet(phone.page, words["wish"])
    keep(f"orders-sheet-{language}", phone.page.screenshot())
    phone.page.click("#order [type=submit]")
    desktop.until(lambda: desktop.page.locator("#orders li").count() == 7)
    keep(f"orders-ledger-{language}", desktop.page.screenshot())
    wang.presets("stop")
    pick_up = come(wang, **PHONE)
    pick_up.page.goto(desktop.page.url)
    mark(pick_up.page)
    keep(f"orders-marks-{language}", pick_up.page.screenshot())
    for visitor in (desktop, phone, pick_up):
        # clear the browser's line about the refused form
        visitor.complaints = [line for line in visitor.complaints if "400" not in line]
        assert visitor.complaints == []
        visitor.context.close()


def fill_sheet(page: Page, wish: str) -> None:
    page.click("#order-button")
    page.locator("#order [data-step='1']").first.click()
    page.locator("#order [data-step='1']").first.click()
    page.locator("#order .order-quantity").nth(1).fill("3.5")
    page.fill("#order [name=note]", wish)
    page.locator("#order [data-step='1']").last.focus()


def mark(page: Page) -> None:
    boxes = page.locator("#members input[type=checkbox]")
    boxes.last.wait_for()
    for number in (0, 1, 2, 4, 5):
        boxes.nth(number).check()
    page.locator("#part-members").evaluate("heading => heading.scrollIntoView()")


def pictures() -> list[str]:
    return [f"docs/img/orders-{name}-{language}.webp" for language in LOCALES for name in NAMES]


def test_the_page_shows_them_all_and_they_are_light() -> None:
    shown = re.findall(r"(img/[\w.-]+)", text("docs/orders.md"))
    assert [f"docs/{each}" for each in shown] == pictures()
    for file in pictures():
        with Image.open(ROOT / file) as picture:
            assert picture.size >= (700, 300)
        assert (ROOT / file).stat().st_size < BYTES_MAX
