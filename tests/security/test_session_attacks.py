"""A session that has ended is invalid on pages, the API, media and sockets, also during a request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.client import JSON, PASSWORD, Browser, picture
from tests.security.cast import NAMES, Cast, gathered, logged_in_again

NEW_PASSWORD = "another long one"


@pytest.fixture
async def closed(tmp_path: Path) -> AsyncIterator[Cast]:
    """A room that guests may not read, so that an invalid cookie opens nothing."""
    async with gathered(tmp_path, {"guests": "none"}) as cast:
        yield cast


def cookie_of(browser: Browser) -> str:
    return browser.login_token


async def is_worth_nothing(cast: Cast, cookie: str, image: str) -> bool:
    """Check that a thief with this cookie gets nothing."""
    thief = await cast.house.guest()
    headers = {**JSON, "Cookie": f"session={cookie}"}
    paths = ("/", "/profile/", "/api/recent_messages/", "/api/messages/?limit=5", image)
    for path in paths:
        assert (await thief.get(path, headers)).status == 401, path
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await thief.session.ws_connect(
            cast.house.address + "/ws/chat/", origin=cast.house.address, headers={"Cookie": f"session={cookie}"}
        )
    return refused.value.status == 401


async def log_out(cast: Cast, phone: Browser) -> None:
    await phone.post("/logout/")


async def change_the_password(cast: Cast, phone: Browser) -> None:
    fields = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await cast.browsers["member"].post("/profile/", fields)).status == 200


async def end_that_session(cast: Cast, phone: Browser) -> None:
    member = cast.browsers["member"]
    user = (await cast.house.server.room.login.authenticate(NAMES["member"], PASSWORD, "192.0.2.9")).user
    newest = max(login.id for login in await cast.house.server.room.sessions.of_user(user))
    assert (await member.post("/profile/", {"end_session": newest})).status == 200


async def ban(cast: Cast, phone: Browser) -> None:
    await cast.moderate("member", "ban")


async def reset_the_password(cast: Cast, phone: Browser) -> None:
    await cast.house.server.room.administrators.reset_password(NAMES["member"], NEW_PASSWORD)


@pytest.mark.parametrize(
    ("end", "code"),
    [(log_out, 4401), (change_the_password, 4401), (end_that_session, 4401), (reset_the_password, 4401), (ban, 4403)],
)
async def test_a_login_that_ended_closes_its_sockets_and_opens_nothing(
    closed: Cast, end: Callable[[Cast, Browser], Awaitable[None]], code: int
) -> None:
    image = (await closed.browsers["victim"].show(picture()))["image"]
    phone = await closed.house.guest()
    await phone.log_in(NAMES["member"])
    cookie, sockets = cookie_of(phone), [await phone.socket(), await phone.socket()]
    assert (await phone.get(image)).status == 200
    bystander = await closed.browsers["victim"].socket()
    await end(closed, phone)
    assert [await socket.closed() for socket in sockets] == [code, code]
    assert await is_worth_nothing(closed, cookie, image)
    await bystander.say("still here", "c-1")


async def test_who_logs_in_gets_a_new_token_and_the_old_one_is_dead(closed: Cast) -> None:
    member = closed.browsers["member"]
    image = (await closed.browsers["victim"].show(picture()))["image"]
    before, socket = cookie_of(member), await member.socket()
    await member.log_in(NAMES["member"])
    assert cookie_of(member) != before
    assert await socket.closed() == 4401
    assert await is_worth_nothing(closed, before, image)
    assert (await member.get("/profile/")).status == 200


async def test_a_token_that_was_planted_before_the_login_is_not_taken(closed: Cast) -> None:
    victim = await closed.house.guest()
    victim.session.cookie_jar.update_cookies({"session": "planted"}, URL(victim.address))
    await victim.log_in(NAMES["member"])
    assert cookie_of(victim) != "planted"
    assert await is_worth_nothing(closed, "planted", "/media/images/x.webp")


async def test_the_banned_are_told_so_when_they_log_in_and_may_again_when_it_is_lifted(cast: Cast) -> None:
    await cast.moderate("banned", "ban")
    assert await logged_in_again(cast, "banned") == "banned"
    await cast.moderate("banned", "unban")
    assert await logged_in_again(cast, "banned") == ""
    assert (await cast.browsers["banned"].get("/profile/")).status == 401, "the login from before the ban"


# Requests in progress when the session ends


def during_the_handshake(cast: Cast, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[Any]]) -> None:
    """`act` happens between the check of the session and the join of the hub."""
    sessions = cast.house.server.room.sessions
    find = sessions.find

    async def slow(token: str) -> Any:
        monkeypatch.setattr(sessions, "find", find)
        found = await find(token)
        await act()
        return found

    monkeypatch.setattr(sessions, "find", slow)


async def hears(browser: Browser, cast: Cast) -> tuple[int | None, list[Any]]:
    """The close code of a new socket, and all frames before it."""
    ws = await browser.dial(after=0, epoch="")
    heard = [message.data async for message in ws]
    return ws.close_code, heard


async def test_a_ban_during_the_handshake_shuts_the_door(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    during_the_handshake(cast, monkeypatch, lambda: cast.moderate("member", "ban"))
    assert await hears(cast.browsers["member"], cast) == (4403, [])


async def test_a_logout_during_the_handshake_shuts_the_door(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    during_the_handshake(cast, monkeypatch, lambda: cast.browsers["member"].post("/logout/"))
    assert await hears(cast.browsers["member"], cast) == (4401, [])


async def test_who_loses_power_during_the_handshake_is_welcomed_as_a_member(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await cast.moderate("member", "promote")
    during_the_handshake(cast, monkeypatch, lambda: cast.moderate("member", "demote"))
    assert (await cast.browsers["member"].socket()).hello["user"]["role"] == "member"


async def test_a_password_changed_while_the_old_one_is_being_checked_lets_nobody_in(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, thief = cast.house.server.room, await cast.house.guest()
    await thief.token()
    proved = room.login.authenticate

    async def slow(*args: Any) -> Any:
        account = await proved(*args)
        await room.administrators.reset_password(NAMES["member"], NEW_PASSWORD)
        return account

    monkeypatch.setattr(room.login, "authenticate", slow)
    answer = await thief.log_in(NAMES["member"])
    assert answer.status == 401 and answer.code == "login_failed"
    assert (await thief.get("/profile/")).status == 401


async def test_a_page_of_the_banned_that_is_open_posts_nothing(cast: Cast) -> None:
    await cast.moderate("banned", "ban")
    for path in ("/post/", f"/recall_message/{cast.messages['banned']['id']}/"):
        assert (await cast.browsers["banned"].post(path, {"text": "x"})).code == "login_required"
