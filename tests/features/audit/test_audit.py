"""Every act of administrators and of the operator is in the audit log, and no user of the room can change the log."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chatserver.features.audit.audit import KEPT_MS, PAGE_ENTRIES
from chatserver.features.audit.record import AuditAct
from tests.bots import made, running
from tests.client import PASSWORD, Browser, House, picture
from tests.docs.pages import text

PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


async def entries(admin: Browser, query: str = "") -> list[Any]:
    """The entries as JSON, newest first."""
    answer = await admin.get(f"/audit/{query}")
    assert answer.status == 200, answer.text
    found: list[Any] = answer.json["entries"]
    return found


async def acts(admin: Browser, query: str = "") -> list[str]:
    """The acts in the order in which they were done."""
    return [entry["act"] for entry in reversed(await entries(admin, query))]


async def test_an_entry_tells_who_what_whom_when_and_from_which_device(house: House) -> None:
    admin = await house.administrator(User_Agent=PHONE)
    member = await house.member("小明")
    member_id = (await member.say("hello"))["user_id"]
    house.clock.forward(5)
    now_ms = house.clock.now_ms()
    await admin.post(f"/members/{member_id}/", {"act": "mute", "seconds": 60})
    assert (await entries(admin))[0] == {
        "id": 2, "at_ms": now_ms, "act": "member.mute", "by": {"id": 1, "name": "店长"},
        "user": {"id": member_id, "name": "小明"}, "details": {"until_ms": now_ms + 60_000},
        "device": "Chrome · Android",
    }  # fmt: skip


async def test_acts_on_members_are_recorded_once(house: House) -> None:
    admin = await house.administrator()
    member = await house.member("小明")
    await member.post("/profile/", {}, {"avatar": picture()})
    member_id = (await member.say("hello"))["user_id"]
    done = ("mute", "unmute", "promote", "demote", "take_avatar", "take_name", "ban", "unban")
    for act in done:
        for _ in range(2):
            assert (await admin.post(f"/members/{member_id}/", {"act": act})).status == 200
    assert (await acts(admin))[1:] == [f"member.{act}" for act in done]
    assert "小明" not in json.dumps(await entries(admin), ensure_ascii=False), "a name that was taken is kept nowhere"


async def test_a_setting_is_recorded_with_what_it_was_and_is(house: House) -> None:
    admin = await house.administrator()
    await admin.post("/settings/", {"text_max": "77", "room_name": "莉莉的小店"})
    await admin.post("/settings/", {"text_max": "77"})
    await admin.post("/settings/", {"reset": "text_max"})
    changed = [entry["details"] for entry in reversed(await entries(admin, "?what=setting"))]
    assert changed == [
        {"setting": "text_max", "before": "2000", "after": "77"},
        {"setting": "room_name", "before": "聊天室", "after": "莉莉的小店"},
        {"setting": "text_max", "before": "77", "after": "2000"},
    ]


async def test_ordering_windows_are_recorded_whoever_manages_them(house: House) -> None:
    admin = await house.administrator()
    await admin.preset("start", seconds=60)
    await admin.preset("start", seconds=90)
    await admin.preset("countdown")
    async with running(house, (await made(admin, manages_windows=True))["token"]) as bot:
        await bot.preset("stop")
    assert await acts(admin, "?what=window") == ["window.open", "window.move", "window.stop"]
    assert (await entries(admin, "?what=window.stop"))[0]["by"]["name"] == "小助手"
    await admin.preset("start", seconds=1)
    house.clock.forward(2)
    await house.server.room.windows.close_due()
    assert (await acts(admin))[-1] == "window.open", "a close by the clock is nobody's act"


async def test_orders_that_an_administrator_changes_or_withdraws_are_recorded(house: House) -> None:
    admin, member = await house.administrator(), await house.member("小明")
    await admin.preset("start", seconds=60)
    orders = [(await member.post_json("/order/", {"lines": [], "text": f"{n} boxes"})).json["id"] for n in range(2)]
    assert (await member.post_json(f"/order/{orders[0]}/", {"lines": [], "text": "its own author"})).status == 200
    socket = await admin.socket()
    await socket.send("order_change", id=orders[0], lines=[], text="secret words", client_id="c")
    await socket.expect("ack", client_id="c")
    await admin.recall(orders[1])
    await admin.recall(orders[1])
    found = await entries(admin, "?what=order")
    assert [(entry["act"], entry["details"], entry["user"]["name"]) for entry in found] == [
        ("order.withdraw", {"window": 1, "no": 2}, "小明"),
        ("order.change", {"window": 1, "no": 1}, "小明"),
    ]
    assert "message.recall" not in await acts(admin)


async def test_a_change_by_socket_names_the_device_that_opened_it(house: House) -> None:
    admin, member = await house.administrator(User_Agent=PHONE), await house.member("小明")
    await admin.preset("start", seconds=60)
    order = (await member.post_json("/order/", {"lines": [], "text": "two"})).json["id"]
    message = await member.say("hello")
    socket = await admin.socket()
    await socket.send("order_change", id=order, lines=[], text="three", client_id="c")
    await socket.expect("ack", client_id="c")
    await socket.send("delete", id=message["id"])
    await socket.expect("delete", id=message["id"])
    found = await entries(admin)
    assert [(entry["act"], entry["device"]) for entry in found[:2]] == [
        ("message.delete", "Chrome · Android"), ("order.change", "Chrome · Android"),
    ]  # fmt: skip


async def test_messages_of_others_are_recorded_without_their_words(house: House) -> None:
    admin, member = await house.administrator(), await house.member("小明")
    messages = [await member.say(f"secret words {n}") for n in range(3)]
    await member.recall(messages[2]["id"])
    await admin.delete((await admin.say("my own"))["id"])
    await admin.recall(messages[0]["id"])
    await admin.delete(messages[1]["id"])
    found = await entries(admin, "?what=message")
    assert [(entry["act"], entry["details"], entry["user"]["name"]) for entry in found] == [
        ("message.delete", {"message": messages[1]["id"]}, "小明"),
        ("message.recall", {"message": messages[0]["id"]}, "小明"),
    ]


async def test_invitations_and_bots_are_recorded_without_codes_and_tokens(house: House) -> None:
    admin = await house.administrator()
    invite = (await admin.post("/invites/", {"uses": 3, "hours": 24})).json["invite"]
    await admin.post("/invites/", {"withdraw": invite["id"]})
    await house.server.room.invites.on_invite({"uses": 1, "hours": 1})
    bot = await made(admin, manages_windows=True)
    replaced = (await admin.post("/bots/", {"new_token": bot["id"]})).json["bot"]
    await admin.post("/bots/", {"remove": bot["id"]})
    found = (await entries(admin))[::-1][1:]
    assert [(entry["act"], (entry["by"] or {}).get("name")) for entry in found] == [
        ("invite.make", "店长"), ("invite.withdraw", "店长"), ("invite.make", None),
        ("bot.make", "店长"), ("bot.token", "店长"), ("bot.remove", "店长"),
    ]  # fmt: skip
    told = json.dumps(found)
    for secret in (invite["address"].partition("=")[2], invite["id"], bot["token"], replaced["token"]):
        assert secret not in told


async def test_a_change_of_a_bot_is_recorded_once_with_what_it_may_do_now(house: House) -> None:
    admin = await house.administrator()
    bot_id = (await made(admin))["id"]
    for _ in range(2):
        await admin.post_json("/bots/", {"change": bot_id, "manages_windows": True, "rate": 30})
        await admin.post_json("/bots/", {"end_token": bot_id})
    found = (await entries(admin, "?what=bot"))[::-1]
    assert [(entry["act"], entry["user"]["id"], entry["details"]) for entry in found] == [
        ("bot.make", bot_id, {"manages_windows": False, "rate": 10}),
        ("bot.change", bot_id, {"manages_windows": True, "rate": 30}),
        ("bot.end_token", bot_id, {}),
    ]
    page = (await admin.page("/audit/?lang=zh&what=bot.change")).text
    assert "将机器人 小助手 的权限改为“收发消息，并管理下单”，每 10 秒 30 条" in page


async def test_pictures_of_the_room_are_recorded(house: House) -> None:
    admin = await house.administrator()
    await admin.post("/upload_global_background", {}, {"image": picture()})
    await admin.post("/send_preset_image/", {}, {"image": picture()})
    await admin.post("/send_preset_image/")
    assert await acts(admin, "?what=picture") == ["picture.announcement", "picture.preset"]


async def test_changes_of_the_notice_are_recorded_without_its_words(house: House) -> None:
    admin = await house.administrator()
    for words in ("周五 18:00 取货", "周六取货", ""):
        assert (await admin.post("/notice/", {"text": words})).status == 200
    found = await entries(admin, "?what=notice")
    assert [entry["act"] for entry in found] == ["notice.remove", "notice.change", "notice.change"]
    assert "取货" not in json.dumps(found, ensure_ascii=False)


async def test_what_the_operator_does_is_recorded_as_the_operators(house: House) -> None:
    admin = await house.administrator()
    await house.member("小明")
    administrators = house.server.room.administrators
    await administrators.on_reset_password({"name": "小明", "password": PASSWORD})
    await administrators.on_create_admin({"name": "小明", "password": PASSWORD + "x"})
    found = (await entries(admin, "?who=operator"))[::-1]
    assert [(entry["act"], entry["user"]["name"], entry["by"], entry["device"]) for entry in found] == [
        ("member.create_admin", "店长", None, ""),
        ("member.reset_password", "小明", None, ""),
        ("member.create_admin", "小明", None, ""),
        ("member.reset_password", "小明", None, ""),
    ]
    assert PASSWORD not in json.dumps(found)


async def test_what_was_refused_is_not_recorded(house: House) -> None:
    admin = await house.administrator()
    before = await entries(admin)
    for answer in (
        await admin.post("/members/99/", {"act": "ban"}),
        await admin.post("/members/1/", {"act": "ban"}),
        await admin.preset("stop"),
        await admin.post("/invites/", {"withdraw": "0"}),
        await admin.post("/bots/", {"name": "店长"}),
        await admin.delete(99),
    ):
        assert answer.status >= 400
    assert await entries(admin) == before


async def test_it_is_filtered_by_who_and_what_and_read_page_by_page(house: House) -> None:
    admin = await house.administrator()
    other = await house.administrator("副店长")
    for number in range(PAGE_ENTRIES):
        await admin.post("/settings/", {"text_max": f"{100 + number}"})
    await other.post("/settings/", {"text_max": "1000"})
    first = (await admin.get("/audit/?what=setting")).json
    assert len(first["entries"]) == PAGE_ENTRIES
    second = (await admin.get(f"/audit/?what=setting.change&before={first['next']}")).json
    assert ([entry["details"]["after"] for entry in second["entries"]], second["next"]) == (["100"], None)
    theirs = await entries(admin, f"?who={first['entries'][0]['by']['id']}")
    assert [entry["by"]["name"] for entry in theirs] == ["副店长"]
    assert await entries(admin, "?who=99") == []
    for query, field in (("who=x", "who"), ("what=x", "what"), ("what=setting.*", "what"), ("before=0", "before")):
        answer = await admin.get(f"/audit/?{query}")
        assert (answer.code, answer.json["error"]["field"]) == ("bad_request", field)


async def test_ninety_days_are_kept(house: House) -> None:
    admin = await house.administrator()
    audit = house.server.room.audit
    await house.server.room.database.run(lambda tx: tx.execute("DELETE FROM audit") and None)
    assert await audit.next_erasure() is None
    await admin.post("/settings/", {"text_max": "77"})
    at_ms = house.clock.now_ms()
    house.clock.forward(60)
    await admin.post("/settings/", {"text_max": "78"})
    assert await audit.next_erasure() == at_ms + KEPT_MS
    house.clock.forward(KEPT_MS / 1000 - 60.001)
    await audit.erase_old()
    database = house.server.room.database
    assert await database.run(lambda tx: tx.all("SELECT at_ms FROM audit")) == [(at_ms,), (at_ms + 60_000,)]
    house.clock.forward(0.001)
    await audit.erase_old()
    assert await database.run(lambda tx: tx.all("SELECT at_ms FROM audit")) == [(at_ms + 60_000,)]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_in_the_room_can_change_it(house: House, method: str) -> None:
    admin = await house.administrator()
    before = await entries(admin)
    assert (await admin.request(method, "/audit/", headers={"Accept": "application/json"})).status == 405
    assert await entries(admin) == before


@pytest.mark.parametrize(("language", "title"), [("zh", "操作记录"), ("en", "Audit log")])
async def test_the_page_tells_every_act_in_both_languages(house: House, language: str, title: str) -> None:
    admin = await house.administrator()
    values = {
        "until_ms": 1, "closes_ms": 1, "expires_ms": 1, "setting": "text_max", "before": "<b>1", "after": "2",
        "window": 1, "no": 1, "message": 1, "uses": 1, "rate": 5, "manages_windows": True, "template": 1,
        "created_ms": 1, "plan": 1, "opens_ms": 1, "outcome": "missed",
    }  # fmt: skip
    rows = [(1, act.value, 1, 1, json.dumps(values), "Safari · iPhone") for act in AuditAct]
    insert = "INSERT INTO audit (at_ms, act, done_by, user_id, details, device) VALUES (?, ?, ?, ?, ?, ?)"
    await house.server.room.database.run(lambda tx: [tx.execute(insert, row) for row in rows] and None)
    page = (await admin.page(f"/audit/?lang={language}")).text
    assert title in page and "&lt;b&gt;1" in page and page.count("Safari · iPhone") == len(AuditAct)
    assert "{" not in page.partition('<ol class="audit"')[2].partition("</ol>")[0]


async def test_an_act_of_a_later_version_is_shown_by_its_name(house: House) -> None:
    admin = await house.administrator()
    row = "INSERT INTO audit (at_ms, act, details, device) VALUES (1, 'later.act', '{}', '')"
    await house.server.room.database.run(lambda tx: tx.execute(row) and None)
    assert "later.act" in (await admin.page("/audit/")).text


async def test_the_page_goes_on_to_older_entries_with_its_filter(house: House) -> None:
    admin = await house.administrator()
    for number in range(PAGE_ENTRIES + 1):
        await admin.post("/settings/", {"text_max": f"{100 + number}"})
    page = (await admin.page("/audit/?what=setting")).text
    assert 'href="/audit/?who=&amp;what=setting&amp;before=' in page
    assert '<option value="setting" selected>' in page


def test_the_documentation_names_every_act() -> None:
    told = text("docs/operating.md").partition("## The audit log")[2].partition("\n## ")[0]
    assert set(re.findall(r"`(\w+\.\w+)`", told)) == set(AuditAct)
