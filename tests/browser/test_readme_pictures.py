"""The README's pictures of both pages, taken by a real browser in a room with a conversation.

`CHAT_SCREENSHOTS=docs/img` stores them; otherwise the screenshots are taken and dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser

from tests.browser import photos
from tests.browser.caller import Caller
from tests.browser.conftest import ADMINISTRATOR, DESKTOP, PHONE, RoomProcess, Visitor, serving
from tests.browser.kept_pictures import BYTES_MAX, keep
from tests.docs.pages import ROOT, text

ITEMS = [
    {"name": "沃柑", "unit": "斤", "price": "6.50"},
    {"name": "云南蓝莓", "unit": "盒", "price": "9.90", "stock": "60", "limit": "12"},
]
PICTURES = {"desktop": (1280, 800), "phone": (780, 1688)}

REACT = """([id, emoji]) => new Promise(done => {
    const socket = new WebSocket(`ws://${location.host}/ws/chat/`);
    socket.onopen = () => socket.send(JSON.stringify({type: 'react', id, emoji}));
    socket.onmessage = frame => {
        const told = JSON.parse(frame.data);
        if (told.type === 'reactions' || told.type === 'refused') { socket.close(); done(told.type); }
    };
})"""

# The browser does not fetch pictures that are out of sight.
ALL_THERE = """() => [...document.querySelectorAll('#messages img')]
    .filter(image => image.getBoundingClientRect().bottom > 0 && image.getBoundingClientRect().top < innerHeight)
    .every(image => image.complete && image.naturalWidth)"""


@pytest.fixture
def lively(tmp_path: Path) -> Iterator[RoomProcess]:
    with serving(tmp_path / "data", send_interval="0", room_name="果园团购群") as room:
        yield room


def visitor(browser: Browser, room: RoomProcess, member: Caller, **options: object) -> Visitor:
    """A browser in which this member is logged in."""
    settings = {**DESKTOP, "locale": "zh-CN", "timezone_id": "Asia/Shanghai", **options}
    context = browser.new_context(**settings)  # type: ignore[arg-type]
    context.add_cookies(member.cookies())  # type: ignore[arg-type]
    found = Visitor(context, room.address)
    found.open_room()
    return found


def test_both_pages_in_a_lively_room(browser: Browser, lively: RoomProcess) -> None:
    people = {name: Caller(lively.address, name) for name in ("林晓", "阿泽", "陈伯", "苏苏", "Mia")}
    for hue, name in ((20, "林晓"), (140, "陈伯"), (215, "苏苏")):
        _wear(people[name], photos.face(hue))
    owner = Caller(lively.address, ADMINISTRATOR)
    lin, ze, chen, su, mia = (people[name] for name in ("林晓", "阿泽", "陈伯", "苏苏", "Mia"))

    owner.says("早上好！今天的团购是沃柑和云南蓝莓，三点截单，六点以后在门口取货。")
    asked = chen.says("蓝莓多少钱一盒？")
    owner.says("125 克一盒 9.9 元，四盒起送。", reply_to=asked["id"])
    trip = lin.says("周末去爬山，日落的时候拍的", image=photos.lake())
    su.says("好美！是东湖那边吗？")
    fruit = su.says("上周的沃柑，又甜又多汁，推荐", image=photos.oranges())
    owner.says("今天到的还是同一家果园", reply_to=fruit["id"])
    owner.presets("start", seconds=1500, title="周五水果", note="六点以后在门口取货", items=ITEMS)
    lin.orders([{"item": 1, "quantity": "3"}, {"item": 2, "quantity": "4"}])
    ze.orders([{"item": 1, "quantity": "5.5"}])
    su.orders([{"item": 1, "quantity": "2"}, {"item": 2, "quantity": "2"}], "要软一点的")
    mia.orders([{"item": 2, "quantity": "4"}], "Four boxes for the office")

    guests = [visitor(browser, lively, each) for each in (lin, chen, su)]
    for guest, message, emoji in (
        (guests[0], fruit, "👍"), (guests[1], fruit, "👍"), (guests[1], trip, "❤️"), (guests[2], trip, "❤️"),
    ):  # fmt: skip
        assert guest.page.evaluate(REACT, [message["id"], emoji]) == "reactions"

    desktop = visitor(browser, lively, owner)
    _settle(desktop)
    keep("desktop", desktop.page.screenshot(), PICTURES["desktop"])
    phone = visitor(browser, lively, su, **PHONE)
    _settle(phone)
    keep("phone", phone.page.screenshot(), PICTURES["phone"])
    for each in (*guests, desktop, phone):
        assert each.complaints == []
        each.context.close()


def _wear(member: Caller, picture: bytes) -> None:
    """Send the profile's form, whose field is called `avatar`."""
    member.send("/profile/", {}, picture, "avatar")


def _settle(who: Visitor) -> None:
    """Wait until every picture is loaded, the countdown runs, and the newest message is in view."""
    page = who.page
    page.wait_for_selector("#countdown:not([hidden])")
    page.wait_for_selector('#messages article:has-text("Four boxes")', state="attached")  # the desktop page folds it
    who.until(lambda: page.evaluate(ALL_THERE))
    # wait for the end of the animation
    page.wait_for_timeout(500)


@pytest.mark.parametrize("page", ["README.md", "README.zh.md"])
def test_the_readme_shows_both_and_they_are_light(page: str) -> None:
    shown = re.findall(r"(docs/img/[\w.]+)", text(page))
    assert shown == [f"docs/img/{name}.webp" for name in PICTURES]
    for name, size in PICTURES.items():
        file = ROOT / f"docs/img/{name}.webp"
        with Image.open(file) as picture:
            assert picture.size == size
        assert file.stat().st_size < BYTES_MAX
