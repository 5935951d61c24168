"""WCAG 2.2 AA: axe-core has nothing to say of any page, and what no tool can tell is tested by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor
from tests.browser.pictures import png

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]

# Each theme, language and size with each other once: (language, theme, size).
LOOKS = {
    "chinese-light-desktop": ("zh", "light", DESKTOP),
    "english-dark-desktop": ("en", "dark", DESKTOP),
    "english-light-phone": ("en", "light", PHONE),
    "chinese-dark-phone": ("zh", "dark", PHONE),
}
every_look = pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
Look = tuple[str, str, dict[str, object]]


def looking(come: Come, look: Look) -> Visitor:
    language, theme, size = look
    visitor = come(**size, reduced_motion="reduce")
    for name, value in (("lang", language), ("theme", theme)):
        visitor.context.add_cookies([{"name": name, "value": value, "url": visitor.address}])
    return visitor


def faults(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:200]} {node['failureSummary']}" for each in found for node in each["nodes"]]


@pytest.fixture(scope="module", autouse=True)
def talk(hall: object) -> Iterator[None]:
    """Something of everything that a timeline shows."""
    address = hall.address  # type: ignore[attr-defined]
    li, wang = Caller(address, "莉莉"), Caller(address, ADMINISTRATOR)
    asked = li.says("今天有草莓吗 https://example.com/menu @小明")
    wang.says("有的，两盒", reply_to=asked["id"])
    li.says("看这个", image=png("indianred"))
    li.recalls(li.says("说错了"))
    wang.presets("start", seconds=3600)
    wang.presets("countdown")
    yield


@every_look
def test_the_room_and_all_that_opens_over_it(come: Come, look: Look) -> None:
    wang = looking(come, look)
    wang.join(ADMINISTRATOR)
    said = {"the room": faults(wang.page)}
    wang.message("今天有草莓吗").hover()
    wang.message("今天有草莓吗").locator("[data-action=menu]").click()
    wang.page.locator('#message-menu [data-emoji="👍"]').wait_for()
    said["the menu"] = faults(wang.page)
    if wang.page.get_attribute('#message-menu [data-emoji="👍"]', "aria-checked") == "true":
        wang.page.keyboard.press("Escape")  # from the look before this one
    else:
        wang.page.click('#message-menu [data-emoji="👍"]')
    wang.message("今天有草莓吗").locator(".reaction").wait_for()
    phone = look[2] is PHONE
    openers = ["own-menu", "search"] + (["plus", "people"] if phone else ["emoji", "help"])
    for opener in openers:
        if opener == "help":
            wang.page.locator("#messages").focus()
            wang.page.keyboard.press("?")
        else:
            wang.page.locator(f"[data-opens={opener}]:visible").first.click()
        wang.page.wait_for_selector(f"#{opener}[open]")
        if opener == "search":
            wang.page.fill("#search input", "草莓")
            wang.page.locator("#search .search-hit").first.wait_for()
        said[opener] = faults(wang.page)
        wang.page.keyboard.press("Escape")
    wang.message("看这个").locator(".picture").click()
    wang.page.wait_for_selector("#lightbox[open]")
    said["the lightbox"] = faults(wang.page)
    wang.page.keyboard.press("Escape")
    wang.field.press_sequentially("@l")
    wang.page.locator("#mentions [role=option]").first.wait_for()
    said["the names"] = faults(wang.page)
    wang.field.fill("")
    assert {where: found for where, found in said.items() if found} == {}


@every_look
def test_the_members_and_the_administrators_pages(come: Come, look: Look) -> None:
    wang = looking(come, look)
    wang.join(ADMINISTRATOR)
    said = {}
    for path in ("/profile/", "/settings/", "/upload_global_background", "/nowhere"):
        wang.page.goto(wang.address + path)
        said[path] = faults(wang.page)
    wang.complaints.clear()  # the page that is not there
    assert {where: found for where, found in said.items() if found} == {}


@every_look
def test_the_guests_pages(come: Come, look: Look) -> None:
    guest = looking(come, look)
    guest.open_room()
    said = {"the room": faults(guest.page)}
    for path in ("/login/", "/register/"):
        guest.page.goto(guest.address + path)
        said[path] = faults(guest.page)
    guest.page.fill("input[name=username]", "a")
    guest.page.fill("input[name=password]", "12345678")
    guest.page.click("main button[type=submit]")
    guest.page.wait_for_selector("[role=alert]")
    said["refused"] = faults(guest.page)
    guest.complaints.clear()  # the refusal
    assert {where: found for where, found in said.items() if found} == {}


def test_the_log_does_not_read_out_the_history(come: Come, call: Call) -> None:
    call("莉莉").says_many(80, "历史 {}")
    ming = come()
    ming.page.add_init_script(
        """document.addEventListener('DOMContentLoaded', () => {
            const list = document.querySelector('#messages');
            window.loud = 0;
            new MutationObserver(changes => {
                if (list.ariaBusy !== 'true') for (const each of changes) window.loud += each.addedNodes.length;
            }).observe(list, {childList: true});
        });"""
    )
    ming.join("小明")
    expect(ming.page.locator("#messages")).to_have_attribute("aria-busy", "false")
    assert ming.page.evaluate("() => window.loud") == 0
    assert ming.page.get_attribute("#messages", "role") == "log"
    call("莉莉").says("这一句要读出来")
    ming.sees("这一句要读出来")
    assert ming.page.evaluate("() => window.loud") == 1


def test_the_focus_goes_round_in_reading_order_and_can_always_be_seen(come: Come) -> None:
    ming = come("小明")
    ming.page.focus("[data-opens=search]")
    ming.page.keyboard.press("Shift+Tab")
    stops, unseen = [], []
    for _ in range(60):
        ming.page.keyboard.press("Tab")
        [name, top, outline] = ming.page.evaluate(
            """() => {
                const node = document.activeElement, style = getComputedStyle(node);
                const ring = parseFloat(style.outlineWidth) > 0 && style.outlineStyle !== 'none';
                const row = node.closest('.composer-row');
                return [node.id || node.dataset.opens || node.name || node.className || node.tagName,
                        node.getBoundingClientRect().top, ring || (row && getComputedStyle(row).boxShadow !== 'none')];
            }"""
        )
        if name == "BODY" or (stops and name == stops[0][0]):
            break
        stops.append((name, top))
        if not outline:
            unseen.append(name)
    names = [name for name, _ in stops]
    assert names.index("search") < names.index("messages") < names.index("text")
    assert unseen == []


def test_everything_by_keyboard_with_help_on_a_question_mark(come: Come, call: Call) -> None:
    call("莉莉").says("键盘到这里")
    ming = come("小明")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("?")
    expect(ming.page.locator("#help")).to_be_visible()
    expect(ming.page.locator("#help kbd").first).to_be_visible()
    ming.page.keyboard.press("Escape")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("/")
    expect(ming.page.locator("#search input")).to_be_focused()
    ming.page.keyboard.press("Escape")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("ArrowUp")
    expect(ming.message("键盘到这里")).to_be_focused()
    ming.page.keyboard.press("Tab")
    assert ming.page.evaluate("() => document.activeElement.dataset.quick") == "reply"
    ming.page.keyboard.press("Enter")
    expect(ming.page.locator(".composer-reply")).to_contain_text("键盘到这里")
    expect(ming.field).to_be_focused()
    ming.page.keyboard.press("?")
    expect(ming.page.locator("#help")).to_be_hidden()
    assert ming.field.input_value() == "?"
    ming.field.fill("")
    ming.page.keyboard.press("Escape")


def test_nothing_moves_with_reduced_motion(come: Come, call: Call) -> None:
    call("莉莉").says("不要动")
    ming = come(reduced_motion="reduce")
    ming.join("小明")
    ming.message("不要动").hover()
    ming.message("不要动").locator("[data-action=menu]").click()
    ming.page.wait_for_selector("#message-menu[open]")
    longest = ming.page.evaluate(
        """() => Math.max(0, ...[...document.querySelectorAll('*')].flatMap(node => {
            const style = getComputedStyle(node);
            return [...style.animationDuration.split(','), ...style.transitionDuration.split(',')].map(parseFloat);
        }))"""
    )
    assert longest <= 0.001
