"""The page of bots, for administrators and programs."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from tests.bots import made, running
from tests.client import HTML, House


async def test_a_program_makes_lists_and_removes(house: House) -> None:
    admin = await house.administrator()
    bot = await made(admin, manages_windows=True)
    facts: dict[str, Any] = {
        "id": bot["id"], "name": "小助手", "role": "bot", "avatar": "", "manages_windows": True, "rate": 10,
        "has_token": True, "made_by": "店长", "created_ms": house.clock.now_ms(), "used_ms": None,
        "muted_until_ms": 0, "banned": False,
    }  # fmt: skip
    assert {name: value for name, value in bot.items() if name != "token"} == facts
    assert (await admin.get("/bots/")).json == {"bots": [facts]}
    async with running(house, bot["token"]) as program:
        await program.say("at work")
    assert (await admin.get("/bots/")).json["bots"][0]["used_ms"] == house.clock.now_ms()
    assert (await admin.post("/bots/", {"remove": bot["id"]})).json == {"bots": []}
    for act in ("remove", "new_token"):
        assert (await admin.post("/bots/", {act: bot["id"]})).code == "not_found"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"name": ""}, "name_invalid", None),
        ({"name": 5}, "bad_request", "name"),
        ({"name": "管理员"}, "name_invalid", None),
        ({"name": "店长"}, "name_taken", None),
        ({"name": "x y", "manages_windows": "yes"}, "bad_request", "manages_windows"),
        ({"name": "x y", "role": "administrator"}, "bad_request", "role"),
        ({"name": "x y", "rate": 0}, "bad_request", "rate"),
        ({"name": "x y", "rate": 101}, "bad_request", "rate"),
        ({"name": "x y", "rate": 1.5}, "bad_request", "rate"),
        ({"name": "x y", "rate": True}, "bad_request", "rate"),
        ({"change": 99, "rate": 5}, "not_found", None),
        ({"change": "x", "rate": 5}, "bad_request", "change"),
        ({"end_token": 99}, "not_found", None),
        ({"remove": "1.5"}, "bad_request", "remove"),
        ({"new_token": True}, "bad_request", "new_token"),
    ],
)
async def test_what_is_wrong_is_told(house: House, fields: dict[str, Any], code: str, field: str | None) -> None:
    admin = await house.administrator()
    answer = await admin.post_json("/bots/", fields)
    assert (answer.code, answer.json["error"].get("field")) == (code, field)
    assert (await admin.get("/bots/")).json == {"bots": []}


async def test_a_member_of_that_name_keeps_it(house: House) -> None:
    admin = await house.administrator()
    await house.member("小助手")
    assert (await admin.post("/bots/", {"name": "小助手"})).code == "name_taken"
    await made(admin, "信使")
    assert (await (await house.guest()).register("信使")).code == "name_taken"


async def test_the_page_shows_a_token_once(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/bots/", {"name": "小助手", "manages_windows": "1"}, headers=HTML)
    assert answer.status == 201
    found = re.search(r'<code class="made-secret" id="made-token">([^<]+)</code>', answer.text)
    assert found
    page = (await admin.page("/bots/")).text
    assert found[1] not in page
    assert ">小助手</bdi>" in page and "可管理下单" in page
    async with running(house, html.unescape(found[1])) as bot:
        await bot.say("works")


async def test_the_page_asks_before_a_token_is_lost(house: House) -> None:
    admin = await house.administrator()
    bot = await made(admin)
    for act, question in (("new_token", "给 小助手 换一个令牌？"), ("remove", "移除机器人 小助手？")):
        asked = await admin.post("/bots/", {act: bot["id"]}, headers=HTML)
        assert asked.status == 200 and question in asked.text
    async with running(house, bot["token"]) as program:
        await program.say("the token is still right")
    answer = await admin.post("/bots/", {"new_token": bot["id"], "confirmed": "1"}, headers=HTML)
    assert answer.status == 201 and 'id="made-token"' in answer.text
    answer = await admin.post("/bots/", {"remove": bot["id"], "confirmed": "1"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/bots/?done=removed")
    assert "机器人已移除" in (await admin.page("/bots/?done=removed")).text


async def test_a_change_sets_what_it_names_and_leaves_the_rest(house: House) -> None:
    admin = await house.administrator()
    bot_id = (await made(admin))["id"]
    for fields, powers in (
        ({"rate": 30}, (False, 30)),
        ({"manages_windows": True}, (True, 30)),
        ({"manages_windows": False, "rate": "7"}, (False, 7)),
        ({}, (False, 7)),
    ):
        [bot] = (await admin.post_json("/bots/", {"change": bot_id, **fields})).json["bots"]
        assert (bot["manages_windows"], bot["rate"]) == powers
    assert (await admin.post_json("/bots/", {"change": bot_id, "rate": 101})).json["error"]["field"] == "rate"


async def test_the_page_changes_a_bot_and_says_so(house: House) -> None:
    admin = await house.administrator()
    bot_id = (await made(admin, manages_windows=True))["id"]
    page = (await admin.page("/bots/")).text
    assert '<option value="1" selected>收发消息，并管理下单</option>' in page
    answer = await admin.post("/bots/", {"change": bot_id, "manages_windows": "0", "rate": "25"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/bots/?done=changed")
    page = (await admin.page("/bots/?done=changed")).text
    assert "已保存，马上生效" in page and '<option value="0" selected>' in page and "每 10 秒 25 条" in page
    refused = await admin.post("/bots/", {"change": bot_id, "manages_windows": "1", "rate": "0"}, headers=HTML)
    assert refused.status == 400 and "每 10 秒 25 条" in refused.text


async def test_the_page_asks_before_a_token_ends_and_offers_another_one(house: House) -> None:
    admin = await house.administrator()
    bot_id = (await made(admin))["id"]
    asked = await admin.post("/bots/", {"end_token": bot_id}, headers=HTML)
    assert asked.status == 200 and "停用 小助手 的令牌？" in asked.text
    answer = await admin.post("/bots/", {"end_token": bot_id, "confirmed": "1"}, headers=HTML)
    assert (answer.status, answer.headers["Location"]) == (303, "/bots/?done=ended")
    page = (await admin.page("/bots/?done=ended")).text
    assert "没有令牌" in page and 'name="new_token"' in page and 'name="end_token"' not in page


async def test_a_refused_name_stays_in_the_form(house: House) -> None:
    admin = await house.administrator()
    answer = await admin.post("/bots/", {"name": "店长", "manages_windows": "1"}, headers=HTML)
    assert answer.status == 409
    assert 'value="店长"' in answer.text and 'aria-invalid="true"' in answer.text and " checked" in answer.text


async def test_the_members_page_names_a_bot_and_offers_it_no_role(house: House) -> None:
    admin = await house.administrator()
    bot = await made(admin)
    page = (await admin.page("/members/")).text
    row = page.partition(f'data-member="{bot["id"]}"')[2]
    assert '<span class="tag">机器人</span>' in row
    assert 'value="mute"' in row and 'value="promote"' not in row
