"""A bot posts and listens with its token, at its own rate, and may do nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import aiohttp
import pytest

from tests.bots import Bot, made, running
from tests.client import HTML, PASSWORD, Browser, House, picture


async def refused_handshake(browser: Browser) -> int:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await browser.dial()
    return caught.value.status


async def test_it_posts_to_its_address_without_cookie_and_csrf_token(house: House) -> None:
    bot = await made(await house.administrator())
    stranger = await house.guest()
    address = f"/bots/{bot['token']}/messages"
    for sent in ({"json": {"text": "as JSON", "client_id": "a"}}, {"data": {"text": "as a form"}}):
        answer = await stranger.request("POST", address, **sent)
        assert (answer.status, answer.json["user"], answer.json["role"]) == (201, "小助手", "bot")
        assert answer.json["text"] in ("as JSON", "as a form")
    again = await stranger.request("POST", address, json={"text": "other words", "client_id": "a"})
    assert (again.status, again.json["text"]) == (200, "as JSON")
    assert not answer.cookies


async def test_it_posts_a_picture_and_replies(house: House) -> None:
    admin = await house.administrator()
    original = await admin.say("who answers?")
    async with running(house, (await made(admin))["token"]) as bot:
        answer = await bot.post(
            f"/bots/{bot.bearer}/messages", {"text": "me", "reply_to": original["id"]}, {"image": picture()}
        )
        assert (answer.status, answer.json["kind"], answer.json["reply_to"]) == (201, "image", original["id"])
        assert (await bot.get(answer.json["image"])).status == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": 1}, "text"),
        ({"text": "x", "client_id": []}, "client_id"),
        ({"text": "x", "reply_to": "1"}, "reply_to"),
        ({"text": "x", "reply_to": True}, "reply_to"),
    ],
)
async def test_a_wrong_field_of_its_json_is_named(house: House, fields: dict[str, Any], field: str) -> None:
    async with running(house, (await made(await house.administrator()))["token"]) as bot:
        answer = await bot.post_json("/post/", fields)
        assert (answer.status, answer.json["error"]["field"]) == (400, field)


async def test_a_refused_reply_to_names_its_field(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/post/", {"text": "to nothing", "reply_to": 99})
    assert (answer.code, answer.json["error"]["field"]) == ("not_found", "reply_to")
    socket = await admin.socket()
    await socket.send("post", text="to nothing", reply_to=99, client_id="c")
    assert (await socket.expect("refused", client_id="c"))["field"] == "reply_to"


async def test_with_the_header_it_uses_the_addresses_of_members(house: House) -> None:
    admin = await house.administrator()
    async with running(house, (await made(admin))["token"]) as bot:
        message = await bot.say("by header")
        assert message["role"] == "bot"
        assert (await bot.recall(message["id"])).json["state"] == "recalled"
        other = await bot.say("again")
        assert (await bot.delete(other["id"])).json["state"] == "deleted"
        theirs = await admin.say("not the bot's")
        assert (await bot.delete(theirs["id"])).code == (await bot.recall(theirs["id"])).code == "not_yours"
        page = await bot.post("/post/", {"text": "asks for pages"}, headers=HTML)
        assert (page.status, page.headers["Content-Type"]) == (201, "application/json")


@pytest.mark.settings(guests="none")
async def test_it_listens_and_posts_by_socket_without_origin_and_cookie(house: House) -> None:
    admin = await house.administrator()
    async with running(house, (await made(admin))["token"]) as bot:
        socket = await bot.socket(after=0, epoch="x")
        assert (socket.hello["user"]["name"], socket.hello["user"]["role"]) == ("小助手", "bot")
        assert (await bot.get("/api/recent_messages/")).status == 200
        await admin.say("hello, bot")
        assert (await socket.expect("message"))["message"]["text"] == "hello, bot"
        await socket.say("hello", "c-1")
        assert (await admin.messages())[-1]["role"] == "bot"
        present = await (await admin.socket()).expect("presence")
        assert ("小助手", "bot") in {(who["name"], who["role"]) for who in present["people"]}


@pytest.mark.parametrize("origin", [None, "", "null", "https://elsewhere.example"])
async def test_whatever_origin_its_library_sends_is_ignored(house: House, origin: str | None) -> None:
    async with running(house, (await made(await house.administrator()))["token"]) as bot:
        ws = await bot.dial(origin)
        assert (await ws.receive_json())["type"] == "hello"
        await ws.close()


async def test_it_cannot_order(house: House) -> None:
    admin = await house.administrator()
    await admin.preset("start")
    order = {"client_id": "o", "lines": [], "text": "two boxes"}
    theirs = (await admin.post_json("/order/", order)).json["id"]
    async with running(house, (await made(admin, manages_windows=True))["token"]) as bot:
        assert (await bot.post_json("/order/", order)).code == "forbidden"
        socket = await bot.socket()
        await socket.send("order", **order)
        assert (await socket.expect("refused", client_id="o"))["code"] == "forbidden"
        await socket.send("order_change", id=theirs, lines=[], text="three", client_id="p")
        assert (await socket.expect("refused", client_id="p"))["code"] == "forbidden"
        await socket.send("recall", id=theirs)
        assert (await socket.expect("refused", id=theirs))["code"] == "not_yours"


@pytest.mark.parametrize(
    "path",
    ["/profile/", "/settings/", "/members/", "/members/1/", "/invites/", "/bots/", "/status/", "/login/", "/logout/",
     "/register/", "/setup/", "/upload_global_background", "/send_preset_image/", "/orders/templates/"],
)  # fmt: skip
async def test_its_token_opens_no_page_of_members_and_administrators(house: House, path: str) -> None:
    async with running(house, (await made(await house.administrator(), manages_windows=True))["token"]) as bot:
        for method in ("GET", "POST"):
            answer = await bot.request(method, path, headers={"Accept": "application/json"})
            assert answer.status == 405 or answer.code == "forbidden", (method, answer.status)


async def test_only_one_that_may_manages_ordering_windows(house: House) -> None:
    admin = await house.administrator()
    may_not, may = await made(admin, "闲人"), await made(admin, "管家", manages_windows=True)
    async with running(house, may_not["token"]) as bot:
        assert (await bot.preset("start")).code == "forbidden"
    async with running(house, may["token"]) as bot:
        started = await bot.preset("start", items=[{"name": "蓝莓"}])
        assert (started.status, started.json["user"], started.json["window"]["by"]) == (201, "管家", "管家")
        assert (await bot.preset("countdown")).status == (await bot.preset("stop")).status == 201
        await admin.post(f"/members/{may['id']}/", {"act": "mute"})
        assert (await bot.preset("start")).code == "muted"


async def test_it_cannot_log_in(house: House) -> None:
    await made(await house.administrator())
    for password in ("", PASSWORD):
        assert (await (await house.guest()).log_in("小助手", password)).code == "login_failed"


@pytest.mark.settings(send_interval=60)
async def test_its_rate_is_ten_messages_in_ten_seconds_whatever_the_members_interval(house: House) -> None:
    async with running(house, (await made(await house.administrator()))["token"]) as bot:
        for number in range(10):
            await bot.say(f"{number}")
        answer = await bot.post("/post/", {"text": "11"})
        assert (answer.status, answer.code) == (429, "too_fast")
        assert 0 < answer.json["error"]["retry_after_ms"] <= 10_000
        socket = await bot.socket()
        await socket.send("post", text="12", client_id="c")
        assert (await socket.expect("refused", client_id="c"))["code"] == "too_fast"
        assert (await bot.post("/post/", {}, {"image": picture()})).code == "too_fast"
        house.clock.forward(10)
        await bot.say("13")


async def test_a_new_rate_holds_from_the_next_message_on(house: House) -> None:
    admin = await house.administrator()
    made_bot = await made(admin, rate=2)
    async with running(house, made_bot["token"]) as bot:
        socket = await bot.socket()
        await socket.say("1")
        await socket.say("2")
        assert (await bot.post("/post/", {"text": "3"})).code == "too_fast"
        await admin.post_json("/bots/", {"change": made_bot["id"], "rate": 3})
        await socket.say("3")
        await socket.send("post", text="4", client_id="c")
        assert (await socket.expect("refused", client_id="c"))["code"] == "too_fast"
        await admin.post_json("/bots/", {"change": made_bot["id"], "rate": 1})
        house.clock.forward(10)
        await socket.say("4")
        assert (await bot.post("/post/", {}, {"image": picture()})).code == "too_fast"


async def test_the_rate_of_one_bot_is_not_that_of_another(house: House) -> None:
    admin = await house.administrator()
    slow, quick = await made(admin, "慢", rate=1), await made(admin, "快", rate=100)
    async with running(house, slow["token"]) as one, running(house, quick["token"]) as other:
        await one.say("1")
        for number in range(20):
            await other.say(f"{number}")
        assert (await one.post("/post/", {"text": "2"})).code == "too_fast"


async def test_power_over_windows_comes_and_goes_on_an_open_connection(house: House) -> None:
    admin = await house.administrator()
    made_bot = await made(admin)
    async with running(house, made_bot["token"]) as bot:
        socket = await bot.socket()
        assert (await bot.preset("start")).code == "forbidden"
        await admin.post_json("/bots/", {"change": made_bot["id"], "manages_windows": True})
        assert (await bot.preset("start")).status == 201
        await admin.post_json("/bots/", {"change": made_bot["id"], "manages_windows": False})
        assert (await bot.preset("stop")).code == "forbidden"
        await socket.say("still connected")


async def test_an_ended_token_opens_nothing_until_there_is_a_new_one(house: House) -> None:
    admin = await house.administrator()
    made_bot = await made(admin, rate=5)
    async with running(house, made_bot["token"]) as bot:
        socket = await bot.socket()
        [left] = (await admin.post("/bots/", {"end_token": made_bot["id"]})).json["bots"]
        assert (left["has_token"], left["rate"]) == (False, 5)
        assert await socket.closed() == 4401
        assert (await bot.post("/post/", {"text": "too late"})).code == "login_required"
        assert await refused_handshake(bot) == 401
    again = (await admin.post("/bots/", {"new_token": made_bot["id"]})).json["bot"]
    assert (again["has_token"], again["rate"], again["id"]) == (True, 5, made_bot["id"])
    async with running(house, again["token"]) as bot:
        await bot.say("back")


async def test_two_bots_may_be_without_a_token(house: House) -> None:
    admin = await house.administrator()
    for bot in (await made(admin, "一号"), await made(admin, "二号")):
        assert (await admin.post("/bots/", {"end_token": bot["id"]})).status == 200
    assert [bot["has_token"] for bot in (await admin.get("/bots/")).json["bots"]] == [False, False]


async def test_a_picture_that_is_not_stored_uses_up_nothing_of_its_rate(house: House) -> None:
    async with running(house, (await made(await house.administrator()))["token"]) as bot:
        for _ in range(12):
            assert (await bot.post("/post/", {}, {"image": b"no picture"})).code == "image_unsupported"
        await bot.say("still welcome")


@pytest.mark.parametrize("act", ["remove", "new_token"])
async def test_what_a_lost_token_opened_is_closed(house: House, act: str) -> None:
    admin = await house.administrator()
    made_bot = await made(admin)
    async with running(house, made_bot["token"]) as bot:
        message = await bot.say("stays")
        socket = await bot.socket()
        answer = await admin.post("/bots/", {act: made_bot["id"]})
        assert answer.status == (200 if act == "remove" else 201)
        assert await socket.closed() == 4401
        refused = await bot.post("/post/", {"text": "too late"})
        assert (refused.status, refused.code, refused.json["error"]["message"]) == (401, "login_required", "令牌无效")
        assert await refused_handshake(bot) == 401
        assert (await admin.messages())[-1] == message
    if act == "new_token":
        async with running(house, answer.json["bot"]["token"]) as bot:
            assert (await bot.say("again"))["user_id"] == made_bot["id"]


async def test_one_that_is_removed_during_its_handshake_hears_nothing(house: House) -> None:
    admin = await house.administrator()
    bot_id, room = (await made(admin))["id"], house.server.room
    token = (await admin.post("/bots/", {"new_token": bot_id})).json["bot"]["token"]
    of_member = room.read_marks.of_member

    async def of_removed(user: Any) -> int:
        await room.database.run(lambda tx: tx.execute("DELETE FROM bots"))
        return await of_member(user)

    room.read_marks.of_member = of_removed  # type: ignore[method-assign]
    async with running(house, token) as bot:
        ws = await bot.dial()
        assert (await ws.receive()).type == aiohttp.WSMsgType.CLOSE
        assert ws.close_code == 4401


async def test_it_is_muted_and_banned_like_a_member(house: House) -> None:
    admin = await house.administrator()
    made_bot = await made(admin)
    async with running(house, made_bot["token"]) as bot:
        socket = await bot.socket()
        await admin.post(f"/members/{made_bot['id']}/", {"act": "mute"})
        assert (await bot.post("/post/", {"text": "x"})).code == "muted"
        await admin.post(f"/members/{made_bot['id']}/", {"act": "ban"})
        assert await socket.closed() == 4403
        assert (await bot.post("/post/", {"text": "x"})).code == "banned"
        assert await refused_handshake(bot) == 403
        for act in ("unban", "unmute"):
            await admin.post(f"/members/{made_bot['id']}/", {"act": act})
        await bot.say("back")


async def test_it_gets_no_other_role(house: House) -> None:
    admin = await house.administrator()
    bot_id = (await made(admin))["id"]
    for act in ("promote", "demote"):
        answer = await admin.post(f"/members/{bot_id}/", {"act": act})
        assert (answer.code, answer.json["error"]["reason"]) == ("forbidden", "bot")
    administrators = house.server.room.administrators
    for operation in (
        administrators.on_create_admin({"name": "小助手"}),
        administrators.on_reset_password({"name": "小助手", "password": PASSWORD}),
    ):
        with pytest.raises(Exception, match=r"name_taken|not_found"):
            await operation
    assert (await admin.get("/bots/")).json["bots"][0]["role"] == "bot"


async def test_a_wrong_token_is_never_overlooked_for_a_cookie(house: House) -> None:
    member = await house.member("小明")
    wrong = {"Authorization": "Bearer wrong", "Accept": "application/json"}
    for path in ("/api/recent_messages/", "/"):
        assert (await member.get(path, headers=wrong)).code == "login_required"
    assert (await member.request("POST", "/bots/wrong/messages", json={"text": "x"})).code == "login_required"
    assert (await member.post("/post/", {"text": "x"}, headers=wrong)).code == "login_required"
    basic = {"Authorization": "Basic eDp5", "Accept": "application/json"}
    assert (await member.get("/api/recent_messages/", headers=basic)).status == 200


async def test_tokens_cannot_be_guessed_quickly(house: House) -> None:
    admin = await house.administrator()
    used, unused = await made(admin, "用过"), await made(admin, "没用过")
    guesser = await house.guest()

    async def guess(token: str) -> str:
        return str((await guesser.request("POST", f"/bots/{token}/messages", json={"text": "x"})).code)

    async with running(house, used["token"]) as bot:
        await bot.say("known to be right")
        assert {await guess("the same again") for _ in range(30)} == {"login_required"}
        assert {await guess(f"guess {number}") for number in range(19)} == {"login_required"}
        assert await guess("one more") == "login_throttled"
        await bot.say("not kept out by a guesser")
    async with running(house, unused["token"]) as bot:
        assert (await bot.post("/post/", {"text": "x"})).code == "login_throttled"
        house.clock.forward(15 * 60)
        await bot.say("after a quarter of an hour")


@pytest.mark.settings(connections_per_address=2)
async def test_the_limits_of_its_address_are_not_its_own(house: House) -> None:
    admin = await house.administrator()
    for _ in range(2):
        await admin.socket()
    guest = await house.guest()
    assert [await refused_handshake(guest) for _ in range(20)][-1] == 429, "too many handshakes of the address"
    async with running(house, (await made(admin))["token"]) as bot:
        await bot.socket()
        await bot.socket()
        assert await refused_handshake(bot) == 503


async def test_one_that_is_made_again_is_the_author_of_its_old_messages(house: House) -> None:
    admin = await house.administrator()
    first = await made(admin)
    await admin.post("/bots/", {"remove": first["id"]})
    again = await made(admin)
    assert again["id"] == first["id"] and again["token"] != first["token"]
    assert (await admin.post("/bots/", {"name": "小助手"})).code == "name_taken"


async def test_its_token_is_only_a_hash_in_the_database(house: House) -> None:
    token = (await made(await house.administrator()))["token"]
    [(stored,)] = await house.server.room.database.run(lambda tx: tx.all("SELECT token_hash FROM bots"))
    assert stored == hashlib.sha256(token.encode()).digest()


async def test_an_answer_to_the_address_with_a_token_is_never_a_page(house: House) -> None:
    """A page would send that address as the Referer."""
    stranger: Bot | Browser = await house.guest()
    for method in ("GET", "POST"):
        answer = await stranger.request(method, "/bots/wrong/messages", headers=HTML)
        assert answer.headers["Content-Type"] == "application/json"
