"""The size of a first visit, measured from the running server, and the bound on the document."""

from __future__ import annotations

import gzip
import re
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Response, Route, expect

from tests.browser import first_visit
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor, serving

Come = Callable[..., Visitor]
Call = Callable[[str], Caller]
both_pages = pytest.mark.parametrize("kind", [DESKTOP, PHONE], ids=["desktop", "phone"])
KB = 1024
REQUESTS_MAX = 8
JS = Path(__file__).parents[2] / "static" / "js"


def visited(come: Come, name: str, kind: dict[str, object]) -> list[Response]:
    """All responses of the first visit, until the features are loaded and the network is quiet."""
    visitor = come(**kind)
    visitor.context.add_cookies(Caller(visitor.address, name).cookies())
    heard: list[Response] = []
    visitor.page.on("response", lambda response: heard.append(response))
    visitor.page.goto(visitor.address)
    visitor.wait_online()
    # The offline copy is made later, from files that are in the browser's cache by then.
    visitor.page.wait_for_load_state("networkidle")
    return heard


def carried(hall: RoomProcess, responses: list[Response], kind: str) -> dict[str, int]:
    """Address -> bytes over the wire, compressed. Files that a page fetches some seconds later, before their use, do
    not count, because a busy machine has not ended the visit by then."""
    sizes, later = {}, fetched_later()
    for response in responses:
        if kind in response.headers.get("content-type", "") and response.url.rpartition("/js/")[2] not in later:
            request = urllib.request.Request(response.url, headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(request, timeout=30) as answer:
                assert answer.headers["Content-Encoding"] == "gzip"
                sizes[response.url] = len(answer.read())
    return sizes


@both_pages
@pytest.mark.parametrize("name", ["小明", ADMINISTRATOR])
def test_a_first_visit_fits(come: Come, hall: RoomProcess, kind: dict[str, object], name: str) -> None:
    responses = visited(come, name, kind)
    page = next(each for each in responses if "text/html" in each.headers["content-type"])
    html = re.sub(r'(?s)("messages":)\[.*?\](,"seq")', r"\1[]\2", page.text())
    assert len(gzip.compress(html.encode(), 6)) <= 12 * KB
    styles, scripts = carried(hall, responses, "text/css"), carried(hall, responses, "javascript")
    assert sum(styles.values()) <= 15 * KB, styles
    assert sum(scripts.values()) <= 48 * KB, scripts
    outside = [each.url for each in responses if not each.url.startswith((hall.address, "blob:", "data:"))]
    assert outside == []


def test_a_phones_first_visit_is_online_after_30_requests(browser: Browser, tmp_path: Path) -> None:
    """Pictures and the modules of menus come later. The best of three visits counts: if a connection takes more than a
    second on this machine, the page continues without it."""
    with serving(tmp_path / "data", send_interval="0") as room:
        first_visit.furnish(room.address)
        visits = [first_visit.visit(browser, room.address, slow=False) for _ in range(3)]
    best = min(visits, key=lambda visit: len(visit.requests))
    assert len(best.requests) <= 30, best.requests
    assert best.bytes_received <= 230 * KB


@both_pages
def test_at_most_eight_requests_before_the_first_message_is_drawn(
    come: Come, call: Call, kind: dict[str, object]
) -> None:
    """If only eight style sheets and scripts are answered and all others are held back, the messages are shown."""
    call("莉莉").says("只用八个请求")
    visitor = come(**kind)
    visitor.context.add_cookies(Caller(visitor.address, "小明").cookies())
    answered: list[str] = []
    held: list[Route] = []
    released: list[bool] = []

    def answer(route: Route) -> None:
        if len(answered) < REQUESTS_MAX or released:
            answered.append(route.request.url)
            route.continue_()
        else:
            held.append(route)

    visitor.page.route(re.compile(r"/static/.*\.(css|js)$"), answer)
    visitor.page.goto(visitor.address, wait_until="commit")
    expect(visitor.message("只用八个请求")).to_be_visible()
    assert visitor.page.evaluate("() => getComputedStyle(document.querySelector('.room')).display") == "grid"
    visitor.until(lambda: held)
    assert visitor.page.get_attribute("#connection", "data-state") == "connecting"
    released.append(True)
    for route in held:
        route.continue_()
    visitor.wait_online()


@both_pages
def test_what_the_first_messages_need_is_preloaded_and_nothing_else(come: Come, kind: dict[str, object]) -> None:
    ming = come("小明", **kind)
    preloaded = {link.get_attribute("href") for link in ming.page.locator("link[rel=modulepreload]").all()}
    version = re.match(r"/static/\w+/js/", str(next(iter(preloaded))))
    assert version
    assert {f"{version[0]}{name}" for name in imported_by("room.js")} == preloaded
    # The sentences of the page's language are one more script.
    assert ming.page.locator("script[src$='/js/words/zh.js']").count() == 1


def test_one_round_trip_fetches_all_that_handles_frames() -> None:
    """room.js names the imports of its features, because a module that is only named in another module costs one more
    round trip."""
    lists = module_lists()
    named = {f"{name}.js" for name in (*lists["WITH_FRAMES"], *lists["IMPORTED"], "models/clock", "net/socket")}
    needed = {module for name in named for module in imported_by(name)}
    assert needed - imported_by("room.js") == named
    others = {f"{name}.js" for name in lists["OTHERS"]}
    assert {module for name in others for module in imported_by(name)} - named - imported_by("room.js") == others


def test_static_files_are_kept_for_ever_under_a_path_that_names_their_content(come: Come) -> None:
    ming = come("小明")
    addresses = ming.page.evaluate(
        "() => [...document.querySelectorAll('link[rel=stylesheet], link[rel=modulepreload]')].map(each => each.href)"
    )
    for address in addresses[:3]:
        answer = ming.page.request.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    worker = ming.page.request.get(f"{ming.address}/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["content-type"].startswith("text/javascript")


def test_no_text_of_a_script_spans_lines() -> None:
    """The server removes whole-line comments. A text of several lines could contain a line that looks like one."""
    for path in JS.rglob("*.js"):
        for line in path.read_text().splitlines():
            assert line.count("`") % 2 == 0, f"{path}: {line}"


def test_a_burst_does_not_grow_the_document(come: Come, call: Call) -> None:
    li, ming = call("莉莉"), come("小明")
    li.says_many(260, "一阵 {}")
    ming.sees("一阵 260")
    assert ming.page.locator("#messages article").count() <= 300


@both_pages
def test_a_hundred_messages_are_measured_a_few_times(come: Come, call: Call, kind: dict[str, object]) -> None:
    """The list is not measured for each loaded icon, because each measurement is a layout."""
    call("莉莉").says_many(100, "量一次 {}")
    ming = come(**kind)
    ming.page.add_init_script(
        """
        const { get, set } = Object.getOwnPropertyDescriptor(Element.prototype, "scrollHeight");
        window.measured_ = 0;
        Object.defineProperty(Element.prototype, "scrollHeight", {
          set, get() { window.measured_ += Number(this.id === "messages"); return get.call(this); },
        });
        """
    )
    ming.join("小明")
    ming.sees("量一次 100")
    ming.page.wait_for_load_state("networkidle")
    assert 0 < ming.page.evaluate("() => window.measured_") < 50


def fetched_later() -> set[str]:
    """The modules that come with PREFETCHED and after it, and with no module before it."""
    lists, room = module_lists(), imported_by("room.js")
    first = (*lists["WITH_FRAMES"], *lists["IMPORTED"], *lists["OTHERS"], "models/clock", "net/socket")
    later = (*lists["PREFETCHED"], "features/presets", "features/offline_copy")
    early = {module for name in first for module in imported_by(f"{name}.js")}
    return {module for name in later for module in imported_by(f"{name}.js")} - early - room


def module_lists() -> dict[str, list[str]]:
    """The modules of room.js, by name."""
    found = re.findall(r"const (\w+) = \[(.*?)\];", (JS / "room.js").read_text(), re.S)
    return {name: re.findall(r'"([\w/]+)"', modules) for name, modules in found}


def imported_by(name: str, known: set[str] | None = None) -> set[str]:
    """The module and all of its static imports, as paths below static/js."""
    known = set() if known is None else known
    known.add(name)
    for found in re.findall(r'^import [^;]*?from "(\.[^"]+)";', (JS / name).read_text(), re.M | re.S):
        path = str((JS / name).parent.joinpath(found).resolve().relative_to(JS.resolve()))
        if path not in known:
            imported_by(path, known)
    return known
