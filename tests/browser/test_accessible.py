"""WCAG 2.2 AA: axe-core finds no fault on any page, and tests check what no tool can check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser import faulty
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, Visitor, first_run
from tests.browser.pictures import png
from tests.declared import ROUTES

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]

PROGRAM = faulty.PROGRAM
SETTINGS = {"push": "on"}
AXE = Axe().axe_script
THEMES = ("light", "dark")
LANGUAGES = {"chinese": "zh", "english": "en"}
SIZES = {"desktop": DESKTOP, "phone": PHONE}
# Every language is tested in every size. For each of these, both themes are tested on the same page.
every_look = pytest.mark.parametrize(
    "look",
    [(language, size) for language in LANGUAGES.values() for size in SIZES.values()],
    ids=[f"{language}-{size}" for language in LANGUAGES for size in SIZES],
)
# Colours change with a transition, and inherited colours change a frame later. A check during the transition would see
# colours of no theme.
IN_THEME = """async theme => {
    document.documentElement.dataset.theme = theme;
    for (let passing = [theme]; passing.length;) {
        await Promise.race([new Promise(requestAnimationFrame), new Promise(done => setTimeout(done, 2000))]);
        passing = document.getAnimations().filter(each => each instanceof CSSTransition);
        await Promise.allSettled(passing.map(each => each.finished));
    }
}"""
Look = tuple[str, dict[str, object]]
# Every address that can be requested. The answer shows whether it is a page.
ADDRESSES = sorted({path for method, path, *_ in ROUTES if method == "GET" and "{" not in path} - {"/", "/ws/chat/"})


def looking(come: Come, look: Look) -> Visitor:
    language, size = look
    visitor = come(**size, reduced_motion="reduce")
    visitor.context.add_cookies([{"name": "lang", "value": language, "url": visitor.address}])
    return visitor


def faults(page: Page) -> list[str]:
    """The faults that axe finds on the page as it is now, in both themes."""
    said = []
    page.evaluate(AXE)
    for theme in THEMES:
        page.evaluate(IN_THEME, theme)
        for each in page.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]:
            said += [f"{theme}, {each['id']}: {node['html'][:200]} {node['failureSummary']}" for node in each["nodes"]]
    return said


def pages(visitor: Visitor) -> dict[str, list[str]]:
    """Every page that this visitor can request, also the refusals, with all parts unfolded.

    Only one page of each heading, because many addresses give the same refusal or lead to the login.
    """
    said: dict[str, list[str]] = {}
    headings: set[str] = set()
    for path in (*ADDRESSES, "/nowhere", faulty.PATH):
        answer = visitor.page.request.get(visitor.address + path, headers={"Accept": "text/html"}, max_redirects=0)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        visitor.page.goto(visitor.address + path)
        heading = visitor.page.locator("h1").inner_text()
        if heading in headings:
            continue
        headings.add(heading)
        visitor.page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true; })")
        said[path] = faults(visitor.page)
    visitor.complaints.clear()  # also refusals
    return said


def nothing(said: dict[str, list[str]]) -> bool:
    assert {where: found for where, found in said.items() if found} == {}
    return True


@pytest.fixture(scope="module", autouse=True)
def talk(hall: object) -> Iterator[None]:
    """Post one message of every kind that the timeline shows."""
    address = hall.address  # type: ignore[attr-defined]
    li, wang = Caller(address, "莉莉"), Caller(address, ADMINISTRATOR)
    asked = li.says("今天有草莓吗 https://example.com/menu @小明")
    wang.says("有的，两盒", reply_to=asked["id"])
    li.says("看这个", image=png("indianred"))
    li.recalls(li.says("说错了"))
    wang.presets(
        "start", title="周五水果", items=[{"name": f"水果{no}", "price": "5"} for no in range(9)], seconds=3600
    )
    for _ in range(5):
        li.orders([{"item": 1, "quantity": "1"}])
    wang.orders([{"item": 1, "quantity": "1"}])
    wang.presets("countdown")
    wang.sends("/notice/", text="周五下午三点在小区东门取货\n请带好袋子 https://example.com/map\n货款当天结清")
    wang.sends("/orders/plans/", act="make", repeat="weekly", weekdays=[5], at="20:00", title="周五水果")
    wang.sends("/orders/plans/", act="skip", id=1)
    for name, act in (("被禁言的人", "mute"), ("被封禁的人", "ban"), ("帮忙的人", "promote")):
        wang.send(f"/members/{Caller(address, name).user['id']}/", {"act": act, "seconds": "3600"})
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
        wang.page.keyboard.press("Escape")  # left from the check before this one
    else:
        wang.page.click('#message-menu [data-emoji="👍"]')
    wang.message("今天有草莓吗").locator(".reaction").wait_for()
    phone = look[1] is PHONE
    openers = ["own-menu", "search"] + (["plus", "people"] if phone else ["emoji", "help"])
    for opener in openers:
        if opener == "help":
            wang.page.locator("#messages").focus()
            wang.page.keyboard.press("?")
        else:
            wang.page.locator(f"[data-opens={opener}]:visible").first.click()
        wang.page.wait_for_selector(f"#{opener}[open]")
        if opener == "search":
            wang.page.fill("#search [name=q]", "草莓")
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
    wang.say("要改的一句")
    wang.act("要改的一句", "edit")
    wang.page.wait_for_selector(".composer-task")
    said["an edit"] = faults(wang.page)
    wang.say("改过的一句")
    wang.message("改过的一句").locator(".message-mark").wait_for()
    said["an edited message"] = faults(wang.page)
    wang.page.locator("#ordering .ordering-more").click()
    said["the whole window"] = faults(wang.page)
    wang.page.locator("#messages [data-fold]").dispatch_event("click")
    said["unfolded orders"] = faults(wang.page)
    toggle = wang.page.locator("#ordering .ordering-toggle")
    if toggle.get_attribute("aria-expanded") == "true":
        toggle.click()
    wang.page.wait_for_selector("#ordering.ordering--folded")
    said["the folded window"] = faults(wang.page)
    band = wang.page.locator("#notice")
    band.locator(".pinned-acts button:visible").first.click()
    said["the whole notice"] = faults(wang.page)
    band.locator("[data-opens=notice-editor]").click()
    wang.page.wait_for_selector("#notice-editor[open]")
    said["the notice's editor"] = faults(wang.page)
    wang.page.keyboard.press("Escape")
    band.locator(".pinned-acts button").last.click()
    said["the folded notice"] = faults(wang.page)
    assert nothing(said)


@every_look
def test_the_administrators_pages(come: Come, look: Look) -> None:
    wang = looking(come, look)
    wang.join(ADMINISTRATOR)
    said = pages(wang)
    assert {
        "/profile/",
        "/settings/",
        "/members/",
        "/bots/",
        "/audit/",
        "/status/",
        "/logout/",
        "/orders/plans/",
    } <= set(said)
    assert {"/upload_global_background", "/push/"} <= set(said)
    assert {"/setup/", faulty.PATH} <= set(said), "a 404 and a 500"
    wang.page.goto(f"{wang.address}/settings/")
    wang.page.fill("input[name=text_max]", "-1")
    wang.page.evaluate("() => document.querySelector('form:has([name=text_max])').noValidate = true")
    wang.page.locator("form:has([name=text_max]) button[type=submit]").last.click()
    wang.page.wait_for_selector("[aria-invalid=true]")
    said["settings refused"] = faults(wang.page)
    said |= bots(wang, f"bot {look[0]} {'phone' if look[1] is PHONE else 'desktop'}")
    wang.complaints.clear()  # clear the browser's line about the refusal
    assert nothing(said)


def bots(wang: Visitor, name: str) -> dict[str, list[str]]:
    """Check a bot's token, a refused name, and the question before a bot is removed."""
    page, said = wang.page, {}
    for state in ("a token", "a refused name"):
        page.goto(f"{wang.address}/bots/")
        page.fill("input[name=name]", name)
        page.click(".bot-new button")
        page.wait_for_selector("#made-token, [aria-invalid=true]")
        said[state] = faults(page)
    page.locator("[data-bot] summary").first.click()
    said["changing a bot"] = faults(page)
    page.click("[data-bot] [name=remove]")
    page.wait_for_selector("[data-confirmation]")
    said["remove a bot"] = faults(page)
    return said


@every_look
def test_a_members_pages(come: Come, look: Look) -> None:
    """The administrators' pages, which refuse this visitor."""
    ming = looking(come, look)
    ming.join("小明")
    assert nothing(pages(ming))


@every_look
def test_the_guests_pages(come: Come, look: Look) -> None:
    guest = looking(come, look)
    guest.open_room()
    said = {"the room": faults(guest.page), **pages(guest)}
    assert len(said) >= 6, "the login, registering, 404, 500, and those that say no"
    guest.page.goto(f"{guest.address}/register/")
    guest.page.fill("input[name=username]", "a")
    guest.page.fill("input[name=password]", "12345678")
    guest.page.click("main button[type=submit]")
    guest.page.wait_for_selector("[role=alert]")
    said["refused"] = faults(guest.page)
    guest.complaints.clear()  # clear the browser's line about the refusal
    assert nothing(said)


@every_look
def test_the_setup_page(come: Come, look: Look, tmp_path: Path) -> None:
    with first_run(tmp_path / "new") as link:
        first = looking(come, look)
        first.page.goto(link)
        first.page.goto(f"{link}&lang={look[0]}")
        said = {"the setup page": faults(first.page)}
        first.page.fill("input[name=username]", "a")
        first.page.fill("input[name=password]", "12345678")
        first.page.click("main button[type=submit]")
        first.page.wait_for_selector("[role=alert]")
        said["refused"] = faults(first.page)
        assert first.page.get_attribute("html", "lang") == look[0]
        first.complaints.clear()  # clear the browser's line about the refusal
        assert nothing(said)


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
                const isSeen = ring || (row && getComputedStyle(row).boxShadow !== 'none');
                const name = node.id || node.dataset.opens || node.name || node.className || node.tagName;
                return [node === document.body ? 'BODY' : name, node.getBoundingClientRect().top, isSeen];
            }"""
        )
        if name == "BODY" or (stops and name == stops[0][0]):
            break
        stops.append((name, top))
        if not outline:
            unseen.append(name)
    names = [name for name, _ in stops]
    window = next(i for i, name in enumerate(names) if name.startswith("ordering-toggle"))
    notice = next(i for i, name in enumerate(names) if name.startswith("side-button"))
    assert names.index("search") < notice < window < names.index("text") < names.index("messages")
    assert unseen == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", ("消息", "已编辑的消息", "图片", "已撤回的消息", "我")),
        ("en", ("message", "edited message", "picture", "recalled message", "You")),
    ],
    ids=LANGUAGES,
)
def test_each_article_says_who_wrote_what_and_when(
    come: Come, call: Call, language: str, said: tuple[str, ...]
) -> None:
    text, edited, picture, recalled, me = said
    li, ming = call("莉莉"), come()
    ming.context.add_cookies([{"name": "lang", "value": language, "url": ming.address}])
    ming.join("小明")

    def name(message: dict[str, Any]) -> Locator:
        return ming.page.locator(f"#messages article[data-id='{message['id']}']")

    comma = "，" if language == "zh" else ", "
    post = li.says("要被改的")
    expect(name(post)).to_have_attribute("aria-label", re.compile(f"^莉莉{comma}\\d\\d:\\d\\d{comma}{text}$"))
    li.send(f"/edit_message/{post['id']}/", {"text": "改过的"})
    expect(name(post)).to_have_attribute("aria-label", re.compile(f"{comma}{edited}$"))
    li.recalls(post)
    expect(name(post)).to_have_attribute("aria-label", re.compile(f"{comma}{recalled}$"))
    shown = li.says("图", image=png())
    expect(name(shown)).to_have_attribute("aria-label", re.compile(f"{comma}{picture}$"))
    own = call("小明").says("我说的")
    expect(name(own)).to_have_attribute("aria-label", re.compile(f"^{me}{comma}"))
    assert ming.page.locator("#messages article:not([aria-label])").count() == 0


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
    expect(ming.page.locator("#search [name=q]")).to_be_focused()
    ming.page.keyboard.press("Escape")
    ming.page.locator("#messages").focus()
    ming.page.keyboard.press("ArrowUp")
    expect(ming.message("键盘到这里")).to_be_focused()
    ming.page.keyboard.press("Tab")
    expect(ming.page.locator(".message-who:focus")).to_have_count(1)  # the member's card
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


@every_look
def test_the_closed_window(come: Come, call: Call, look: Look) -> None:
    """This must be the last check of this room, whose window is open until here."""
    administrator = call(ADMINISTRATOR)
    with suppress(HTTPError):  # the check before has closed it
        administrator.presets("stop")
    wang = looking(come, look)
    wang.join(ADMINISTRATOR)
    wang.page.wait_for_selector("#ordering[data-state=closed]")
    assert nothing({"the closed window": faults(wang.page)})
