"""Permissions: every route and every frame, for every role. A new route or frame without a row here fails."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from chatserver.http.access import Access
from chatserver.http.site import SITE
from tests.client import JSON, PASSWORD, Answer, Browser, House, Socket, picture
from tests.declared import FRAME_TYPES, ROUTES
from tests.security.cast import NAMES, ROLES, Cast
from tests.support import eventually

Act = Callable[[Cast, str, Browser], Awaitable[str]]

ID = r"{id:[1-9]\d{0,17}}"
OK, GUEST, NO = "ok", "login_required", "forbidden"
NONE, NO_WINDOW = "not_found", "window_closed"

# The results for the five roles in the order of ROLES: OK, or the error code. A cookie from before the ban is invalid,
# so banned users are guests. POST /login/ shows that they cannot log in again.
EVERYBODY = (OK, OK, OK, OK, OK)
MEMBERS = (GUEST, OK, OK, GUEST, OK)
ADMINISTRATORS = (GUEST, NO, NO, GUEST, OK)
SPEAKERS = (GUEST, OK, "muted", GUEST, OK)
NOBODY_ELSES = (GUEST, "not_yours", "not_yours", GUEST, OK)


def outcome(answer: Answer) -> str:
    return OK if answer.status < 400 else answer.code


def get(path: str) -> Act:
    async def act(cast: Cast, role: str, browser: Browser) -> str:
        return outcome(await browser.get(path))

    return act


def post(path: str, fields: dict[str, str] | None = None, image: str = "") -> Act:
    """`{own}`, `{other}` and `{victim}` in the path: the id of the user's message, of the victim's message, and of the
    victim."""

    async def act(cast: Cast, role: str, browser: Browser) -> str:
        own, other = cast.messages[role]["id"], cast.messages["victim"]["id"]
        here = path.format(own=own, other=other, victim=cast.ids["victim"])
        typed = {name: value.format(number=ROLES.index(role)) for name, value in (fields or {}).items()}
        return outcome(await browser.post(here, typed, {image: picture()} if image else None))

    return act


def post_json(path: str, value: Any) -> Act:
    async def act(cast: Cast, role: str, browser: Browser) -> str:
        return outcome(await browser.post_json(path, value))

    return act


async def read_card(cast: Cast, role: str, browser: Browser) -> str:
    return outcome(await browser.get(f"/api/members/{cast.ids['victim']}/"))


async def dial(cast: Cast, role: str, browser: Browser) -> str:
    try:
        ws = await browser.dial()
    except aiohttp.WSServerHandshakeError as error:
        return {401: GUEST, 403: NO}.get(error.status, str(error.status))
    await ws.close()
    return OK


async def log_in(cast: Cast, role: str, browser: Browser) -> str:
    return outcome(await browser.log_in(NAMES[role], PASSWORD))


async def look_at_a_picture(cast: Cast, role: str, browser: Browser) -> str:
    message = await cast.browsers["victim"].show(picture())
    return outcome(await browser.get(message["image"]))


def read_ledger(path: str) -> Act:
    """`{window}` in the path: the id of a window that an administrator opens before."""

    async def act(cast: Cast, role: str, browser: Browser) -> str:
        window = (await cast.browsers["administrator"].preset("start")).json["window"]
        return outcome(await browser.get(path.format(window=window["id"])))

    return act


async def fetch_a_file(cast: Cast, role: str, browser: Browser) -> str:
    return outcome(await browser.get(cast.house.server.app[SITE].static.url("css/base.css")))


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    act: Act
    expected: tuple[str, ...]
    what: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path.replace(ID, 'ID')} {self.what}".strip()


TABLE = [
    Row("GET", "/", get("/"), EVERYBODY),
    Row("GET", "/ws/chat/", dial, EVERYBODY),
    Row("GET", "/register/", get("/register/"), EVERYBODY),
    Row("POST", "/register/", post("/register/", {"username": "new {number}", "password": PASSWORD}), EVERYBODY),
    Row("GET", "/login/", get("/login/"), EVERYBODY),
    Row("POST", "/login/", log_in, ("login_failed", OK, OK, "banned", OK)),
    Row("GET", "/logout/", get("/logout/"), EVERYBODY),
    Row("POST", "/logout/", post("/logout/"), EVERYBODY),
    Row("GET", "/profile/", get("/profile/"), MEMBERS),
    Row("POST", "/profile/", post("/profile/", image="avatar"), SPEAKERS, "a face"),
    Row(
        "POST", "/profile/", post("/profile/", {"old_password": PASSWORD, "new_password": "another long one"}), MEMBERS,
        "a password",
    ),
    Row("POST", "/profile/", post("/profile/", {"username": "newly named {number}"}), SPEAKERS, "a name"),
    Row("GET", "/setup/", get("/setup/?token="), ("not_found",) * 5),
    Row("POST", "/setup/", post("/setup/", {"token": "", "username": "new", "password": PASSWORD}), (NO,) * 5),
    Row("GET", "/settings/", get("/settings/"), ADMINISTRATORS),
    Row("POST", "/settings/", post("/settings/", {"text_max": "77"}), ADMINISTRATORS),
    Row("GET", "/members/", get("/members/"), ADMINISTRATORS),
    *(
        Row("POST", f"/members/{ID}/", post("/members/{victim}/", {"act": act}), ADMINISTRATORS, act)
        for act in ("mute", "unmute", "ban", "unban", "promote", "demote", "take_avatar", "take_name")
    ),
    Row("POST", f"/members/{ID}/password-link", post("/members/{victim}/password-link"), ADMINISTRATORS),
    Row("GET", "/password/{token}/", get("/password/guessed/"), ("gone",) * 5),
    Row("POST", "/password/{token}/", post("/password/guessed/", {"password": "a new long secret"}), ("gone",) * 5),
    Row("GET", "/api/names/", get("/api/names/?q=a"), MEMBERS),
    Row("GET", "/api/members/", get("/api/members/"), MEMBERS),
    Row("GET", "/people/", get("/people/"), MEMBERS),
    Row("GET", f"/api/members/{ID}/", read_card, EVERYBODY),
    Row("GET", "/invites/", get("/invites/"), ADMINISTRATORS),
    Row("POST", "/invites/", post("/invites/", {"uses": "2", "hours": "24"}), ADMINISTRATORS, "a new one"),
    Row("GET", "/bots/", get("/bots/"), ADMINISTRATORS),
    Row("POST", "/bots/", post("/bots/", {"name": "bot {number}"}), ADMINISTRATORS, "a new one"),
    Row("POST", "/bots/{bot_token}/messages", post("/bots/wrong/messages", {"text": "hello"}), (GUEST,) * 5),
    Row("GET", "/audit/", get("/audit/"), ADMINISTRATORS),
    Row("GET", "/status/", get("/status/"), ADMINISTRATORS),
    Row("POST", "/post/", post("/post/", {"text": "hello"}), SPEAKERS, "a text"),
    Row("POST", "/post/", post("/post/", image="image"), SPEAKERS, "a picture"),
    Row("POST", f"/recall_message/{ID}/", post("/recall_message/{own}/"), MEMBERS, "one's own"),
    Row("POST", f"/recall_message/{ID}/", post("/recall_message/{other}/"), NOBODY_ELSES, "another's"),
    Row("POST", f"/edit_message/{ID}/", post("/edit_message/{own}/", {"text": "nine"}), SPEAKERS, "one's own"),
    Row(
        "POST", f"/edit_message/{ID}/", post("/edit_message/{other}/", {"text": "nine"}),
        (GUEST, "not_yours", "muted", GUEST, "not_yours"), "another's",
    ),
    Row("POST", f"/delete_message/{ID}/", post("/delete_message/{own}/"), MEMBERS, "one's own"),
    Row("POST", f"/delete_message/{ID}/", post("/delete_message/{other}/"), NOBODY_ELSES, "another's"),
    Row("POST", "/send_preset/", post("/send_preset/", {"command": "start"}), ADMINISTRATORS),
    Row("POST", "/send_preset_image/", post("/send_preset_image/", image="image"), ADMINISTRATORS),
    Row("GET", "/notice/", get("/notice/"), ADMINISTRATORS),
    Row("GET", "/push/", get("/push/"), MEMBERS),
    Row("POST", "/push/", post("/push/", {"off": "1"}), MEMBERS),
    Row("POST", "/notice/", post("/notice/", {"text": "on Friday"}), ADMINISTRATORS),
    Row("GET", "/upload_global_background", get("/upload_global_background"), ADMINISTRATORS),
    Row("POST", "/upload_global_background", post("/upload_global_background", image="image"), ADMINISTRATORS),
    Row("GET", "/api/recent_messages/", get("/api/recent_messages/"), EVERYBODY),
    Row("GET", r"/api/recent_messages_apiint/{count:\d+}", get("/api/recent_messages_apiint/5"), EVERYBODY),
    Row("GET", "/api/messages/", get("/api/messages/?q=from"), EVERYBODY),
    Row("POST", "/order/", post("/order/", {"text": "eight"}), (GUEST, NO_WINDOW, "muted", GUEST, NO_WINDOW)),
    Row("POST", f"/order/{ID}/", post("/order/{own}/", {"text": "nine"}), (GUEST, NONE, "muted", GUEST, NONE)),
    Row("GET", "/api/windows/", get("/api/windows/"), EVERYBODY),
    Row("GET", f"/api/windows/{ID}/", read_ledger("/api/windows/{window}/"), EVERYBODY),
    Row("GET", f"/api/windows/{ID}/journal", read_ledger("/api/windows/{window}/journal"), EVERYBODY),
    Row("GET", "/orders/", get("/orders/"), EVERYBODY),
    Row("GET", f"/orders/{ID}/", read_ledger("/orders/{window}/"), EVERYBODY),
    Row("GET", f"/orders/{ID}/export", read_ledger("/orders/{window}/export?format=csv"), EVERYBODY),
    Row("POST", f"/orders/{ID}/marks", post("/orders/9/marks", {"user_id": "1"}), (GUEST, NO, NO, GUEST, NONE)),
    Row(
        "POST", f"/orders/{ID}/readings",
        post_json("/orders/9/readings", {"no": 1, "lines": [], "none": True}), (GUEST, NO, NO, GUEST, NONE),
    ),
    Row("GET", "/orders/templates/", get("/orders/templates/"), ADMINISTRATORS),
    Row("POST", "/orders/templates/", post("/orders/templates/", {"act": "make", "title": "fruit"}), ADMINISTRATORS),
    Row("GET", "/orders/plans/", get("/orders/plans/"), ADMINISTRATORS),
    Row(
        "POST", "/orders/plans/", post("/orders/plans/", {"act": "make", "repeat": "daily", "at": "18:00"}),
        ADMINISTRATORS,
    ),
    Row("GET", "/media/{folder}/{name}", look_at_a_picture, EVERYBODY),
    Row("GET", "/static/{version}/{name:.+}", fetch_a_file, EVERYBODY),
    Row("GET", "/sw.js", get("/sw.js"), EVERYBODY),
    Row("GET", "/manifest.webmanifest", get("/manifest.webmanifest"), EVERYBODY),
    Row("GET", "/favicon.ico", get("/favicon.ico"), EVERYBODY),
    Row("GET", "/healthz", get("/healthz"), EVERYBODY),
    Row("GET", "/readyz", get("/readyz"), EVERYBODY),
    Row("GET", "/metrics", get("/metrics"), EVERYBODY, "from loopback"),
]  # fmt: skip


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert {(row.method, row.path) for row in TABLE} == {(route.method, route.path) for route in ROUTES}


async def test_a_server_has_the_declared_routes_and_no_others(house: House) -> None:
    served = {(route.method, route.resource.canonical) for route in house.server.app.router.routes() if route.resource}
    declared = {(route.method, re.sub(r":[^/]+}", "}", route.path)) for route in ROUTES}
    heads = {("HEAD", path) for method, path in declared if method == "GET" and path != "/ws/chat/"}
    assert served == declared | heads


@pytest.mark.parametrize("row", TABLE, ids=str)
async def test_a_route_lets_in_who_may_and_nobody_else(cast: Cast, row: Row) -> None:
    await cast.moderate("muted", "mute")
    await cast.moderate("banned", "ban")
    for role, expected in zip(ROLES, row.expected, strict=True):
        before = await cast.everything()
        assert await row.act(cast, role, cast.browsers[role]) == expected, role
        if expected not in (OK, "not_yours"):
            assert await cast.everything() == before, f"a {role} was refused, and changed something all the same"


@pytest.mark.settings(guests="none")
@pytest.mark.parametrize("row", [row for row in TABLE if (row.method, row.path) in {
    (route.method, route.path) for route in ROUTES if route.access is Access.READER
}], ids=str)  # fmt: skip
async def test_where_guests_may_not_read_no_route_shows_them_the_room(cast: Cast, row: Row) -> None:
    await cast.moderate("muted", "mute")
    await cast.moderate("banned", "ban")
    for role in ROLES:
        expected = GUEST if role in ("guest", "banned") else OK
        assert await row.act(cast, role, cast.browsers[role]) == expected, role


# Frames


@dataclass(frozen=True)
class Frame:
    command: str
    fields: Callable[[Cast, str], dict[str, Any]]
    answer: str
    expected: tuple[str, ...]
    what: str = ""

    def __str__(self) -> str:
        return f"{self.command} {self.what}".strip()


def own(cast: Cast, role: str) -> dict[str, Any]:
    return {"id": cast.messages[role]["id"]}


def others(cast: Cast, role: str) -> dict[str, Any]:
    return {"id": cast.messages["victim"]["id"]}


# Here the banned user still has a socket. The row in the database says that the user is banned, and the rules use the
# row.
FRAME_OF_MEMBERS = (GUEST, OK, OK, "banned", OK)
FRAME_OF_SPEAKERS = (GUEST, OK, "muted", "banned", OK)
FRAMES = [
    Frame("post", lambda cast, role: {"text": "hello", "client_id": "c-1"}, "ack", FRAME_OF_SPEAKERS),
    Frame("recall", own, "recall", FRAME_OF_MEMBERS, "one's own"),
    Frame("recall", others, "recall", (GUEST, "not_yours", "not_yours", "banned", OK), "another's"),
    Frame("edit", lambda cast, role: {**own(cast, role), "text": "nine"}, "message", FRAME_OF_SPEAKERS, "one's own"),
    Frame(
        "edit",
        lambda cast, role: {**others(cast, role), "text": "nine"},
        "message",
        (GUEST, "not_yours", "muted", "banned", "not_yours"),
        "another's",
    ),
    Frame("delete", own, "delete", FRAME_OF_MEMBERS, "one's own"),
    Frame("delete", others, "delete", (GUEST, "not_yours", "not_yours", "banned", OK), "another's"),
    Frame("order", lambda cast, role: {"text": "eight"}, "", (GUEST, NO_WINDOW, "muted", "banned", NO_WINDOW)),
    Frame(
        "order_change",
        lambda cast, role: {**own(cast, role), "text": "nine"},
        "",
        (GUEST, NONE, "muted", "banned", NONE),
    ),
    Frame("react", lambda cast, role: {**others(cast, role), "emoji": "🎉"}, "reactions", FRAME_OF_SPEAKERS),
    Frame("read", others, "", FRAME_OF_MEMBERS),
    Frame("typing", lambda cast, role: {}, "typing", FRAME_OF_SPEAKERS),
    Frame("ping", lambda cast, role: {}, "pong", (GUEST, OK, OK, OK, OK)),
]


def test_every_command_has_a_row_and_every_row_a_command() -> None:
    assert {frame.command for frame in FRAMES} == FRAME_TYPES


@pytest.mark.parametrize("frame", FRAMES, ids=str)
async def test_a_frame_does_what_its_sender_may_and_nothing_else(cast: Cast, frame: Frame) -> None:
    sockets = {role: await cast.browsers[role].socket() for role in ROLES}
    await cast.moderate("muted", "mute")
    ban = ("UPDATE users SET banned = 1 WHERE id = ?", (cast.ids["banned"],))
    await cast.house.server.room.database.run(lambda tx: tx.execute(*ban) and None)
    for role, expected in zip(ROLES, frame.expected, strict=True):
        socket, before = sockets[role], await cast.everything()
        await socket.in_step()
        socket.forget()
        await socket.send(frame.command, **frame.fields(cast, role))
        if expected != OK:
            assert (await socket.expect("refused"))["code"] == expected, role
            assert await cast.everything() == before, role
        elif frame.answer:
            await socket.expect(frame.answer)
            assert not socket.heard("refused"), role
        else:
            await noted(cast, role, socket)


async def noted(cast: Cast, role: str, socket: Socket) -> None:
    """The read position of a member is sent to no other user, so the test reads the row."""
    query = ("SELECT read_id FROM users WHERE id = ?", (cast.ids[role],))

    async def read_id() -> int:
        found: int = (await cast.house.server.room.database.run(lambda tx: tx.one(*query)))[0]
        return found

    await eventually(read_id)
    assert not socket.heard("refused"), role


async def test_nobody_ends_anothers_login(cast: Cast) -> None:
    victim, member = cast.browsers["victim"], cast.browsers["member"]
    database = cast.house.server.room.database
    for session_id in await database.run(lambda tx: [row[0] for row in tx.all("SELECT id FROM sessions")]):
        if session_id != (await sessions_of(cast, "member"))[0]:
            await member.post("/profile/", {"end_session": session_id})
    assert (await victim.get("/profile/")).status == 200


async def sessions_of(cast: Cast, role: str) -> list[int]:
    query = ("SELECT id FROM sessions WHERE user_id = ?", (cast.ids[role],))
    return await cast.house.server.room.database.run(lambda tx: [row[0] for row in tx.all(*query)])


async def test_power_that_was_taken_is_gone_for_a_page_that_is_open(cast: Cast) -> None:
    other = await cast.house.administrator("副店长")
    await cast.moderate("victim", "promote")
    assert outcome(await cast.browsers["victim"].get("/settings/")) == OK
    await other.post(f"/members/{cast.ids['victim']}/", {"act": "demote"})
    assert outcome(await cast.browsers["victim"].post("/settings/", {"text_max": "77"})) == NO
    assert outcome(await cast.browsers["victim"].request("POST", "/settings/", headers=JSON)) == NO
