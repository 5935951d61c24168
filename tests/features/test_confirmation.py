"""Acts with large effects ask first and say what follows, also without scripts. Programs are not asked."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from chatserver.features.accounts.moderate import ASKED, Act
from tests.client import HTML, Answer, Browser, House


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the question's form, without its token."""
    form = re.search(r"<form [^>]*data-confirmation>(.*?)</form>", page, re.DOTALL)
    assert form, page
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', form[1])
    return {name: html.unescape(value) for name, value in found if name != "csrf_token"}


async def submitted(browser: Browser, path: str, fields: dict[str, Any]) -> Answer:
    return await browser.post(path, fields, headers=HTML)


async def settings_form(browser: Browser, **typed: str) -> dict[str, str]:
    """The fields that a browser sends after these fields were changed."""
    page = (await browser.page("/settings/")).text
    before = re.search(r'name="before" value="([^"]*)"', page)
    assert before
    rows = (await browser.get("/settings/")).json["settings"]
    return {**{row["name"]: str(row["value"]) for row in rows}, "before": html.unescape(before[1]), **typed}


async def test_a_shorter_history_is_asked_about_with_the_number_of_messages(house: House) -> None:
    wang = await house.administrator()
    said = [await wang.say(str(number)) for number in range(25)]
    await wang.delete(said[0]["id"])
    form = await settings_form(wang, history_limit="20")
    asked = await submitted(wang, "/settings/", form)
    assert asked.status == 200
    assert "4 条消息会立即从所有人的聊天记录中删除" in asked.text
    assert len(await wang.messages()) == 24, "nothing is erased before the answer"
    done = await submitted(wang, "/settings/", fields_of(asked.text))
    assert (done.status, done.headers["Location"]) == (303, "/settings/?done=saved")
    assert [message["text"] for message in await wang.messages()] == [str(number) for number in range(5, 25)]


async def test_fewer_hours_are_asked_about_too(house: House) -> None:
    wang = await house.administrator()
    await wang.say("早")
    house.clock.forward(7200)
    await wang.say("晚")
    asked = await submitted(wang, "/settings/", await settings_form(wang, history_hours="1"))
    assert "1 条消息" in asked.text
    assert len(await wang.messages()) == 2


async def test_giving_the_setting_back_is_asked_about_too(house: House) -> None:
    wang = await house.administrator()
    assert (await wang.post("/settings/", {"history_limit": "200"})).status == 200
    for number in range(103):
        await wang.say(str(number))
    asked = await submitted(wang, "/settings/", {"reset": "history_limit"})
    assert "3 条消息" in asked.text
    assert (await submitted(wang, "/settings/", fields_of(asked.text))).status == 303
    assert len((await wang.get("/api/recent_messages_apiint/500")).json["messages"]) == 100


async def test_fewer_days_of_orders_are_asked_about_with_the_number_of_windows(house: House) -> None:
    wang = await house.administrator()
    for _ in range(2):
        await wang.preset("start")
        await wang.preset("stop")
    house.clock.forward(2 * 86_400)
    asked = await submitted(wang, "/settings/", await settings_form(wang, ledger_days="1"))
    assert "2 次下单的全部订单" in asked.text
    assert len((await wang.get("/api/windows/")).json["windows"]) == 2
    assert (await submitted(wang, "/settings/", fields_of(asked.text))).status == 303
    await house.server.room.ledger_expiry.expire()  # as its timer does
    assert (await wang.get("/api/windows/")).json["windows"] == []


async def test_shutting_guests_out_is_asked_about_with_how_many_there_are(house: House) -> None:
    wang = await house.administrator()
    sockets = [await (await house.guest()).socket() for _ in range(2)]
    asked = await submitted(wang, "/settings/", await settings_form(wang, guests="none"))
    assert "2 位游客会立即断开" in asked.text and "保存并删除" not in asked.text
    assert (await submitted(wang, "/settings/", fields_of(asked.text))).status == 303
    assert [await socket.closed() for socket in sockets] == [4401, 4401]


async def test_what_erases_nothing_is_not_asked_about(house: House) -> None:
    wang = await house.administrator()
    await wang.say("one")
    for typed in ({"history_limit": "20"}, {"history_hours": "48"}, {"text_max": "77"}):
        assert (await submitted(wang, "/settings/", await settings_form(wang, **typed))).status == 303


async def test_a_value_that_is_refused_is_not_asked_about(house: House) -> None:
    wang = await house.administrator()
    await wang.say("one")
    answer = await submitted(wang, "/settings/", await settings_form(wang, history_limit="none"))
    assert (answer.status, "data-confirmation" in answer.text) == (400, False)


async def test_a_program_is_not_asked(house: House) -> None:
    wang = await house.administrator()
    for number in range(3):
        await wang.say(str(number))
    assert (await wang.post_json("/settings/", {"history_limit": 1})).status == 200
    assert len(await wang.messages()) == 1


WORDS = {
    Act.BAN: "1 个登录设备会立即退出",
    Act.PROMOTE: "管理员可以撤回和删除任何人的消息",
    Act.DEMOTE: "失去管理员的全部权限",
    Act.TAKE_AVATAR: "不能恢复",
    Act.TAKE_NAME: "以后用它登录",
}


@pytest.mark.parametrize("act", sorted(ASKED))
async def test_an_act_on_a_member_is_asked_about_with_what_follows(house: House, act: Act) -> None:
    wang, ming = await house.administrator(), await house.member("小明明")
    member = (await ming.socket()).hello["user"]
    if act is Act.DEMOTE:
        assert (await wang.post(f"/members/{member['id']}/", {"act": "promote"})).status == 200
    before = (await wang.get("/members/")).json["members"]
    asked = await submitted(wang, f"/members/{member['id']}/", {"act": act, "seconds": "60", "q": "明"})
    assert asked.status == 200
    assert member["name"] in asked.text and WORDS[act] in asked.text
    if act is not Act.BAN:  # no member is logged out before the confirmation
        assert (await ming.get("/profile/", HTML)).status == 200
    assert (await wang.get("/members/")).json["members"] == before
    done = await submitted(wang, f"/members/{member['id']}/", fields_of(asked.text))
    assert (done.status, done.headers["Location"]) == (303, f"/members/?q=%E6%98%8E&done={act}")
    after = (await wang.get("/members/")).json["members"]
    assert (after == before) is (act is Act.TAKE_AVATAR)  # this member had none


@pytest.mark.parametrize("act", [Act.MUTE, Act.UNMUTE, Act.UNBAN])
async def test_what_is_easily_undone_is_not_asked_about(house: House, act: Act) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    member_id = (await ming.socket()).hello["user"]["id"]
    assert (await submitted(wang, f"/members/{member_id}/", {"act": act, "seconds": "60"})).status == 303


async def test_only_administrators_are_asked(house: House) -> None:
    ming, hong = await house.member("小明"), await house.member("小红")
    member_id = (await hong.socket()).hello["user"]["id"]
    answer = await submitted(ming, f"/members/{member_id}/", {"act": "ban"})
    assert (answer.status, "小红" in answer.text) == (403, False)
