"""Every refusal over HTTP: its code, its status, its text in both languages, and when to try again."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatserver.core.errors import Code, DomainError, ErrorCode
from chatserver.features.messages.edit import EditCode
from tests.client import JSON, PASSWORD, Answer, Browser, House, opened, picture
from tests.declared import CODES

Act = Callable[[House, Browser, Browser, dict[str, str]], Awaitable[Answer]]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def post(
    path: str, fields: dict[str, str] | None = None, files: dict[str, bytes] | None = None, as_: str = "member"
) -> Act:
    async def act(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
        browser = {"member": member, "admin": admin, "guest": await house.guest()}[as_]
        return await browser.post(path, fields, files, headers=headers)

    return act


def get(path: str, as_: str = "member") -> Act:
    async def act(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
        return await {"member": member, "admin": admin, "guest": await house.guest()}[as_].get(path, headers)

    return act


async def forged(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    return await member.request("POST", "/post/", data={"text": "x"}, headers=headers)


async def too_late(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    message = await member.say("mine")
    house.clock.forward(31)
    return await member.post(f"/recall_message/{message['id']}/", headers=headers)


async def edited_too_late(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    message = await member.say("mine")
    house.clock.forward(301)
    return await member.post(f"/edit_message/{message['id']}/", {"text": "x"}, headers=headers)


async def not_mine(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    return await member.post(f"/recall_message/{(await admin.say('hers'))['id']}/", headers=headers)


async def gone(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    message = await member.show(picture())
    await member.recall(message["id"])
    return await member.get(message["image"], headers)


async def throttled(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    for _ in range(5):
        await member.log_in("小明", "not it at all")
    return await member.post("/login/", {"username": "小明", "password": "x"}, headers=headers)


async def too_fast(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    await member.say("one")
    return await member.post("/post/", {"text": "two"}, headers=headers)


async def too_many_bytes(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    return await member.post("/post/", {"text": "x" * 300_000}, headers=headers)


async def open_already(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    await admin.preset("start")
    return await admin.post_json("/send_preset/", {"command": "start", "title": "水果"}, headers)


def ordering(quantity: str) -> Act:
    """Order in a window with a stock of 8, of which each member may have 5."""

    async def act(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
        item = {"name": "apples", "unit": "kg", "stock": "8", "limit": "5"}
        await admin.preset("start", items=[item])
        await admin.post("/order/", {"item-1": "5"})
        return await member.post("/order/", {"item-1": quantity}, headers=headers)

    return act


def set_in_the_database(house: House, assignment: str) -> None:
    """Set a value that no page of this program sets; the rules read the row each time."""
    with sqlite3.connect(house.data_dir / "chat.db") as database:
        database.execute(f"UPDATE users SET {assignment} WHERE name = '小明'")
    database.close()


async def muted(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    set_in_the_database(house, "muted_until_ms = 9000000000000")
    return await member.post("/post/", {"text": "x"}, headers=headers)


async def banned(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    set_in_the_database(house, "banned = 1")
    return await member.post("/login/", {"username": "小明", "password": PASSWORD}, headers=headers)


async def wrong_method(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    return await member.request("PUT", "/", headers=headers)


def failing(refusal: DomainError) -> Act:
    """The database refuses: its queue is full, or its disk is full."""

    async def act(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
        async def fail(*_: object) -> None:
            raise refusal

        house.server.room.post.post = fail  # type: ignore[method-assign,assignment]
        return await member.post("/post/", {"text": "x"}, headers=headers)

    return act


async def broken(house: House, member: Browser, admin: Browser, headers: dict[str, str]) -> Answer:
    house.server.room.post.post = None  # type: ignore[assignment,method-assign]
    return await member.post("/post/", {"text": "x"}, headers=headers)


NEW = {"username": "小红", "password": "a long enough one"}
NOES: list[tuple[Code, int, Act, dict[str, object]]] = [
    (ErrorCode.BAD_REQUEST, 400, get("/api/messages/?limit=0"), {}),
    (ErrorCode.EMPTY, 400, post("/post/"), {}),
    (ErrorCode.TOO_LONG, 400, post("/post/", {"text": "x" * 2001}), {}),
    (ErrorCode.NAME_INVALID, 400, post("/register/", {**NEW, "username": "管理员"}, as_="guest"), {}),
    (ErrorCode.PASSWORD_WEAK, 400, post("/register/", {**NEW, "password": "short"}, as_="guest"), {}),
    (ErrorCode.INVITE_INVALID, 400, post("/register/", NEW, as_="guest"), {"registration": "invite"}),
    (ErrorCode.IMAGE_UNREADABLE, 400, post("/post/", {}, {"image": picture(300, 300)[:200]}), {}),
    (ErrorCode.LOGIN_REQUIRED, 401, post("/post/", {"text": "x"}, as_="guest"), {}),
    (ErrorCode.LOGIN_FAILED, 401, post("/login/", {"username": "小明", "password": "wrong"}, as_="guest"), {}),
    (ErrorCode.FORBIDDEN, 403, post("/send_preset/", {"command": "start"}), {}),
    (ErrorCode.CSRF, 403, forged, {}),
    (ErrorCode.NOT_YOURS, 403, not_mine, {}),
    (ErrorCode.RECALL_EXPIRED, 403, too_late, {}),
    (EditCode.EXPIRED, 403, edited_too_late, {}),
    (ErrorCode.MUTED, 403, muted, {}),
    (ErrorCode.BANNED, 403, banned, {}),
    (ErrorCode.REGISTRATION_CLOSED, 403, post("/register/", NEW, as_="guest"), {"registration": "closed"}),
    (ErrorCode.NOT_FOUND, 404, get("/nowhere/"), {}),
    (ErrorCode.GONE, 410, gone, {}),
    (ErrorCode.METHOD_NOT_ALLOWED, 405, wrong_method, {}),
    (ErrorCode.NAME_TAKEN, 409, post("/register/", {**NEW, "username": "小明"}, as_="guest"), {}),
    (ErrorCode.WINDOW_CLOSED, 409, post("/send_preset/", {"command": "stop"}, as_="admin"), {}),
    (ErrorCode.WINDOW_OPEN, 409, open_already, {}),
    (ErrorCode.SOLD_OUT, 409, ordering("4"), {}),
    (ErrorCode.OVER_LIMIT, 409, ordering("6"), {}),
    (ErrorCode.BODY_TOO_LARGE, 413, too_many_bytes, {}),
    (ErrorCode.IMAGE_TOO_LARGE, 413, post("/post/", {}, {"image": b"x" * 1_500_000}), {"upload_max_mb": 1}),
    (ErrorCode.IMAGE_UNSUPPORTED, 415, post("/post/", {}, {"image": b"just text"}), {}),
    (ErrorCode.TOO_FAST, 429, too_fast, {"send_interval": 2}),
    (ErrorCode.LOGIN_THROTTLED, 429, throttled, {}),
    (ErrorCode.INTERNAL, 500, broken, {}),
    (ErrorCode.BUSY, 503, failing(DomainError(ErrorCode.BUSY, retry_after_ms=1000)), {}),
    (ErrorCode.STORAGE_FULL, 507, failing(DomainError(ErrorCode.STORAGE_FULL)), {}),
]


def test_every_code_is_tried() -> None:
    assert {code for code, *_ in NOES} | {ErrorCode.WRONG_HOST} == set(CODES)


@pytest.mark.parametrize(("code", "status", "act", "settings"), NOES, ids=[no[0].value for no in NOES])
async def test_a_no_has_its_code_its_status_and_words_in_both_languages(
    tmp_path: Path, code: Code, status: int, act: Act, settings: dict[str, object]
) -> None:
    # The administrator is made by the operator's command, so that the registration policy does not matter.
    async with opened(tmp_path / "one") as house:
        await house.member("小明")
        await house.administrator()
    words = {}
    for language in ("zh", "en"):
        async with opened(tmp_path / "one", **settings) as house:
            member, admin = await house.guest(), await house.guest()
            await admin.log_in("店长")
            set_in_the_database(house, "banned = 0, muted_until_ms = 0")
            assert (await member.log_in("小明")).status == 200
            answer = await act(house, member, admin, {**JSON, "Accept-Language": language})
            assert (answer.status, answer.code) == (status, code.value)
            error = answer.json["error"]
            words[language] = error["message"]
            if status in (429, 503):
                assert int(answer.headers["Retry-After"]) >= 1
                assert int(answer.headers["Retry-After"]) * 1000 >= error["retry_after_ms"] > 0
            else:
                assert "Retry-After" not in answer.headers
    assert CHINESE.search(words["zh"]) and not CHINESE.search(words["en"])
    assert "{" not in words["zh"] + words["en"] and "…" not in words["zh"] + words["en"]


@pytest.mark.settings(base_url="https://chat.example.org")
async def test_a_wrong_host_is_told_so_in_both_languages(house: House) -> None:
    guest = await house.guest()
    for language, is_chinese in (("zh", True), ("en", False)):
        answer = await guest.get("/api/recent_messages/", {**JSON, "Accept-Language": language})
        assert (answer.status, answer.code) == (421, "wrong_host")
        message = answer.json["error"]["message"]
        assert bool(CHINESE.search(message)) is is_chinese
        assert guest.address.removeprefix("http://") in message and "https://chat.example.org" in message


async def test_a_browser_is_told_on_a_page_in_its_language(house: House) -> None:
    guest = await house.guest()
    for language, is_chinese in (("zh", True), ("en", False)):
        answer = await guest.page("/nowhere/", Accept_Language=language)
        assert answer.status == 404
        assert f'<html lang="{language}"' in answer.text
        title = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.S)
        assert title and bool(CHINESE.search(title[1])) is is_chinese
