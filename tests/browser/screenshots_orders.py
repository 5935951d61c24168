"""Screenshots of ordering, from the form that opens a window to the checked record; a part of `screenshots`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from playwright.sync_api import Page

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, Visitor

WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "title": "周五水果", "note": "六点到八点在东门取货，请自带袋子。", "draft": "蓝莓八盒，软一点的",
        "people": ["小明", "莉莉", "阿强", "陈伯", "苏苏", "林晓", "阿泽", "老周", "小美", "Mia"], "me": "小明",
        "wish": "要软一点的", "reason": "少送了一盒，按实际数量更正", "twice": "下了两次",
        "items": [
            {"name": "云南蓝莓", "unit": "盒", "price": "25", "stock": "20", "limit": "8"},
            {"name": "沃柑", "unit": "斤", "price": "6.5"},
            {"name": "红颜草莓（大果，当天早上采摘）", "unit": "斤", "price": "29.9", "stock": "6"},
            {"name": "试吃装"},
        ],
    },
    "en": {
        "title": "Friday fruit", "note": "Pick-up at the east gate, 6 to 8 pm. Please bring a bag.",
        "draft": "Eight boxes of blueberries, ripe ones",
        "people": ["Oliver", "Lily", "Sam", "Mr Chen", "Susanna", "Lin", "Aze", "Joe", "May", "Mia"], "me": "Oliver",
        "wish": "ripe ones, please", "reason": "One box too few, corrected to what was handed out",
        "twice": "Placed twice",
        "items": [
            {"name": "Blueberries", "unit": "box", "price": "25", "stock": "20", "limit": "8"},
            {"name": "Mandarins", "unit": "kg", "price": "6.5"},
            {"name": "Strawberries, large, picked this morning", "unit": "kg", "price": "29.9", "stock": "6"},
            {"name": "Tasting pack"},
        ],
    },
}  # fmt: skip


class Camera(Protocol):
    """A function that stores the screenshot of a state."""

    def take(self, page: Page, state: str, *, full_page: bool = False) -> None: ...


def shoot(camera: Camera, come: Callable[[str], Visitor], address: str, language: str) -> None:
    words = WORDS[language]
    wang, ming = come(address), come(address)
    wang.join(ADMINISTRATOR)
    ming.join(words["me"])
    others = [Caller(address, name) for name in words["people"] if name != words["me"]]
    opening(camera, wang, words)
    page = wang.page
    camera.take(page, "ledger-empty", full_page=True)
    while_it_is_open(camera, wang, ming, others, words)
    after_the_end(camera, wang, ming, words)
    free_text(camera, Caller(address, ADMINISTRATOR), ming, words)
    page.goto(f"{address}/orders/")
    page.wait_for_selector("#open-box:not([hidden])")
    camera.take(page, "orders-list-administrator", full_page=True)
    for visitor in (wang, ming):
        visitor.context.close()


def opening(camera: Camera, wang: Visitor, words: dict[str, Any]) -> None:
    page = wang.page
    page.goto(f"{wang.address}/orders/")
    page.wait_for_selector("#open:not([hidden])")
    camera.take(page, "orders-none", full_page=True)
    page.fill("#open-title", words["title"])
    page.fill("#open-note", words["note"])
    page.fill("#open-minutes", "15")
    for item in words["items"]:
        page.click("#open-add")
        for name, value in item.items():
            page.locator(f".open-row >> nth=-1 >> [name={name}]").fill(value)
    camera.take(page, "opening", full_page=True)
    page.locator(".open-row [name=price]").nth(1).fill("6.5元")
    page.click("#open [value=keep]")
    page.locator("#open .field-error:not([hidden])").first.wait_for()
    camera.take(page, "opening-refused", full_page=True)
    page.locator(".open-row [name=price]").nth(1).fill("6.5")
    page.click("#open [value=keep]")
    page.wait_for_selector("#open [role=status]:not([hidden])")
    camera.take(page, "opening-template", full_page=True)
    page.click("#open [value=open]")
    page.wait_for_url("**/orders/*/")
    page.wait_for_selector("#ledger:not([hidden])")


def while_it_is_open(camera: Camera, wang: Visitor, ming: Visitor, others: list[Caller], words: dict[str, Any]) -> None:
    page = ming.page
    page.wait_for_selector("#order-button:not([hidden])")
    camera.take(page, "window-open")
    page.click("#order-button")
    page.wait_for_selector("#order[open]")
    camera.take(page, "sheet-empty")
    more = page.locator("#order [data-step='1']")
    more.nth(0).click()
    more.nth(0).click()
    page.locator("#order .order-quantity").nth(1).fill("3.5")
    page.fill("#order [name=note]", words["wish"])
    camera.take(page, "sheet-filled")
    page.click("#order [type=submit]")
    page.wait_for_selector("#messages article[data-kind=order]")
    camera.take(page, "accepted")
    for number, each in enumerate(others[:6]):
        each.orders([{"item": 1, "quantity": str(1 + number % 3)}, {"item": 2, "quantity": f"{number + 1}.5"}])
    others[6].recalls(others[6].orders([{"item": 2, "quantity": "2"}]))
    others[7].orders([], words["draft"])
    others[0].orders([{"item": 3, "quantity": "6"}])
    ming.until(lambda: "9" in page.locator("#ordering .ordering-orders").inner_text())
    camera.take(page, "orders-coming-in")
    page.click("[data-my-orders]")
    page.locator("#order .order-mine-item").wait_for()
    camera.take(page, "sheet-mine")
    page.locator("#order [data-mine=change]").click()
    camera.take(page, "sheet-changing")
    page.locator("#order .order-quantity").nth(2).fill("1")
    page.click("#order [type=submit]")
    page.wait_for_selector("#order-tray .order-entry--refused")
    camera.take(page, "sold-out")
    page.locator("[data-order-entry=discard]").click()
    page.context.set_offline(True)
    page.wait_for_selector("#connection:not([data-state=online])", state="attached")
    page.click("#order-button")
    page.locator("#order [data-step='1']").nth(1).click()
    camera.take(page, "sheet-offline")
    page.click("#order [type=submit]")
    page.wait_for_selector("#order-tray .order-entry")
    camera.take(page, "order-waiting")
    page.locator("[data-order-entry=discard]").click()
    page.context.set_offline(False)
    ming.wait_online()
    ming.complaints.clear()
    wang.until(lambda: wang.page.locator("#orders li").count() == 10)
    camera.take(wang.page, "ledger-open", full_page=True)


def after_the_end(camera: Camera, wang: Visitor, ming: Visitor, words: dict[str, Any]) -> None:
    page = wang.page
    administrator = Caller(wang.address, ADMINISTRATOR)
    ming.page.click("#order-button")
    ming.page.locator("#order [data-step='1']").nth(1).click()
    address = page.url
    administrator.presets("stop")
    ming.page.wait_for_selector("#order .order-over:not([hidden])")
    camera.take(ming.page, "sheet-over")
    ming.page.keyboard.press("Escape")
    ming.page.wait_for_selector("#messages .notice-result")
    camera.take(ming.page, "window-closed")
    page.wait_for_selector("#ledger-state[data-state=closed]")
    for box in (0, 1, 2, 4):
        page.locator("#members input[type=checkbox]").nth(box).check()
    camera.take(page, "marks", full_page=True)
    page.locator("#orders li button").first.click()
    page.locator("#correct input").first.fill("1")
    page.fill("#correct [name=reason]", words["reason"])
    camera.take(page, "correcting")
    page.click("#correct [value=change]")
    page.locator("#corrections li").wait_for()
    page.locator("#orders li button").nth(1).click()
    page.fill("#correct [name=reason]", words["twice"])
    page.click("#correct [value=strike]")
    page.locator("#corrections li").nth(1).wait_for()
    ming.page.goto(address)
    ming.page.locator("#corrections li").nth(1).wait_for()
    ming.page.click("#verify")
    ming.page.wait_for_selector("#verdict:not([hidden]):not(:empty)")
    camera.take(ming.page, "ledger-checked", full_page=True)
    ming.page.route("**/journal", lambda route: route.fulfill(json={"entries": [], "digest": "00" * 32}))
    ming.page.click("#verify")
    ming.page.wait_for_selector(".ledger-verdict--wrong")
    camera.take(ming.page, "ledger-wrong", full_page=True)
    ming.page.unroute("**/journal")
    page.emulate_media(media="print")
    camera.take(page, "ledger-print", full_page=True)
    page.emulate_media(media="screen")
    ming.open_room()
    camera.take(ming.page, "corrected")


def free_text(camera: Camera, administrator: Caller, ming: Visitor, words: dict[str, Any]) -> None:
    administrator.presets("start", seconds=90)
    page = ming.page
    page.wait_for_selector("#order-button:not([hidden])")
    ming.field.fill(words["draft"])
    camera.take(page, "free-text")
    page.click("#order-button")
    page.locator("#messages article[data-kind=order]").last.wait_for()
    camera.take(page, "free-text-accepted")
    page.goto(f"{ming.address}/orders/")
    camera.take(page, "orders-list", full_page=True)
