"""Changing one's name: once a day; the old name is shown and reserved for a day; every place shows the new name at
once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Role, User
from chatserver.features.accounts.erased import erased_old_names
from chatserver.features.accounts.moderate import Act
from chatserver.features.accounts.rename_store import HELD_MS
from chatserver.features.ordering import journal
from tests.client import HTML, Browser, House, files_under, opened
from tests.stage import Stage, refuses
from tests.support import FakeClock

DAY_SECONDS = HELD_MS / 1000


async def card(reader: Browser, user_id: int) -> dict[str, Any]:
    found: dict[str, Any] = (await reader.get(f"/api/members/{user_id}/")).json["member"]
    return found


async def test_everything_follows_a_new_name_at_once(house: House) -> None:
    wang, ming, guest = await house.administrator(), await house.member("小明"), await house.guest()
    user_id = await ming.member_id()
    said, own = await ming.say("你好"), await wang.say("大家好")
    socket, reader = await ming.socket(), await guest.socket()
    await socket.send("react", id=own["id"], emoji="👍")
    await socket.expect("reactions")
    await ming.recall(said["id"])
    answer = await ming.post("/profile/", {"username": "  明月  "})
    assert (answer.status, answer.json["user"]["name"]) == (200, "明月")
    for each in (socket, reader):
        frame = await each.expect("member")
        assert (frame["user"]["id"], frame["user"]["name"], frame["was"]) == (user_id, "明月", "小明")
    assert "明月" in (await reader.expect("presence", members=["明月"]))["members"]
    assert (await socket.say("还是我", client_id="c"))["id"]
    assert (await reader.expect("message"))["message"]["user"] == "明月"
    recalled, reacted, newest = await wang.messages()
    assert (recalled["user"], recalled["recalled_by"], newest["user"]) == ("明月", "明月", "明月")
    assert reacted["reactions"] == [{"emoji": "👍", "users": ["明月"]}]
    assert (await wang.get("/api/names/?q=my")).json == {"names": ["明月"]}
    other = await house.guest()
    assert (await other.log_in("小明")).code == "login_failed"
    assert (await other.log_in("明月")).status == 200
    assert (await wang.get("/audit/")).json["entries"][0]["act"] == "member.create_admin"


async def test_the_old_name_is_shown_and_nobody_elses_for_a_day(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    user_id = await ming.member_id()
    assert (await card(wang, user_id))["old_name"] == ""
    await ming.post("/profile/", {"username": "明月"})
    for reader in (wang, await house.guest(), ming):
        assert (await card(reader, user_id))["old_name"] == "小明"
    assert (await wang.get("/members/?q=明月")).json["members"][0]["old_name"] == "小明"
    assert "原名 小明" in (await wang.page("/members/")).text
    hong = await house.member("小红")
    assert (await (await house.guest()).register("小明")).code == "name_taken"
    assert (await hong.post("/profile/", {"username": "小明"})).code == "name_taken"
    assert (await wang.post("/bots/", {"name": "小明"})).code == "name_taken"
    house.clock.forward(DAY_SECONDS)
    await house.server.room.rename.expire()
    assert (await card(wang, user_id))["old_name"] == ""
    assert (await hong.post("/profile/", {"username": "小明"})).status == 200


async def test_a_second_name_within_a_day_is_refused_with_the_time_to_wait(house: House) -> None:
    ming = await house.member("小明")
    assert (await ming.post("/profile/", {"username": "明月"})).status == 200
    house.clock.forward(3600)
    refused = await ming.post("/profile/", {"username": "清风"})
    assert (refused.status, refused.code) == (429, "too_fast")
    assert refused.json["error"]["retry_after_ms"] == HELD_MS - 3_600_000
    assert refused.headers["Retry-After"] == str(23 * 3600)
    assert (await ming.post("/profile/", {"username": "小明"})).code == "too_fast"
    assert (await ming.post("/profile/", {"username": "明月"})).status == 200  # this is the name already
    house.clock.forward(DAY_SECONDS - 3600)
    assert (await ming.post("/profile/", {"username": "清风"})).status == 200


@pytest.mark.parametrize("name", ["", "  ", "管理员", "admin", "a" * 21, "two\nlines", "аdmin", "<b>"])
async def test_the_rules_for_names_are_those_of_registering(house: House, name: str) -> None:
    ming = await house.member("小明")
    refused = await ming.post("/profile/", {"username": name})
    assert (refused.status, refused.code) == (400, "name_invalid")
    assert (await ming.post("/profile/", {"username": "明月"})).status == 200  # a refusal does not count as a change


async def test_a_name_that_another_member_has_or_that_looks_like_it_is_taken(house: House) -> None:
    ming, _ = await house.member("小明"), await house.member("Lily")
    for name in ("Lily", "lily", "LiIy"):
        assert (await ming.post("/profile/", {"username": name})).code == "name_taken"
    lower = await house.member("xiao hong")
    assert (await lower.post("/profile/", {"username": "Xiao Hong"})).json["user"]["name"] == "Xiao Hong"


async def test_the_page_says_once_a_day_and_why_not(house: House) -> None:
    wang, ming = await house.administrator(), await house.member("小明")
    assert "一天只能改一次" in (await ming.page("/profile/")).text
    taken = await ming.post("/profile/", {"username": "店长"}, headers=HTML)
    assert (taken.status, 'value="店长"' in taken.text, "已有人使用" in taken.text) == (409, True, True)
    done = await ming.post("/profile/", {"username": "明月"}, headers=HTML)
    assert (done.status, done.headers["Location"]) == (303, "/profile/?done=name")
    assert "用户名已更改" in (await ming.page("/profile/?done=name")).text
    assert "2026-11-23 14:36 以后可以再改" in (await ming.page("/profile/")).text
    again = await ming.post("/profile/", {"username": "清风"}, headers=HTML)
    assert (again.status, "还要等 24 小时" in again.text) == (429, True)
    await wang.post(f"/members/{await ming.member_id()}/", {"act": "mute", "seconds": "600"})
    assert "你被禁言到 2026-11-22 14:46" in (await ming.page("/profile/")).text


async def test_muted_members_and_bots_are_not_renamed(stage: Stage, wang: User, ming: User) -> None:
    await stage.room.members.act(wang, ming.id, Act.MUTE)
    with refuses(ErrorCode.MUTED):
        await stage.room.rename.rename(ming, "明月")
    bot = await stage.join("小助手", Role.BOT)
    with refuses(ErrorCode.FORBIDDEN):
        await stage.room.rename.rename(bot, "大助手")


async def test_a_name_that_was_taken_away_is_neither_shown_nor_kept_and_no_other_is_chosen_for_a_day(
    house: House,
) -> None:
    wang, ming = await house.administrator(), await house.member("脏话")
    user_id = await ming.member_id()
    await ming.post("/profile/", {"username": "明月"})
    assert (await card(wang, user_id))["old_name"] == "脏话"
    given = (await wang.post(f"/members/{user_id}/", {"act": "take_name"})).json["member"]
    assert (given["name"], given["old_name"]) == (f"成员{user_id}", "")
    assert (await card(wang, user_id))["old_name"] == ""
    assert (await ming.post("/profile/", {"username": "脏话"})).code == "too_fast"
    for name in ("脏话", "明月"):
        await house.member(name)
    house.clock.forward(DAY_SECONDS)
    assert (await ming.post("/profile/", {"username": "清风"})).status == 200


async def test_the_given_name_is_not_one_that_was_given_up_today(house: House) -> None:
    wang, ming, hong = await house.administrator(), await house.member("小明"), await house.member("小红")
    user_id = await ming.member_id()
    await hong.post("/profile/", {"username": f"成员{user_id}"})
    house.clock.forward(DAY_SECONDS)
    await hong.post("/profile/", {"username": "小红"})
    given = (await wang.post(f"/members/{user_id}/", {"act": "take_name"})).json["member"]
    assert given["name"] == f"成员{user_id}-2"


async def test_after_a_day_the_old_name_has_left_the_database_file(tmp_path: Path) -> None:
    clock = FakeClock()
    async with opened(tmp_path, clock) as house:
        ming = await house.member("旧名字在此")
        await ming.post("/profile/", {"username": "明月"})
        clock.forward(DAY_SECONDS)
    async with opened(tmp_path, clock) as house:
        await house.server.room.rename.expire()
    left = b"".join(content for name, content in files_under(tmp_path).items() if name.startswith("chat.db"))
    assert "明月".encode() in left and "旧名字在此".encode() not in left


async def test_the_timer_erases_and_asks_for_a_vacuum(stage: Stage, ming: User) -> None:
    rename = stage.room.rename
    assert await rename.next_expiry() is None
    await rename.rename(ming, "明月")
    assert await rename.next_expiry() == stage.clock.now_ms() + HELD_MS
    stage.clock.forward(DAY_SECONDS - 1)
    await rename.expire()
    assert await stage.sql("SELECT old_name FROM renames") == [("小明",)]
    stage.told()
    stage.clock.forward(1)
    await rename.expire()
    assert stage.told(ContentErased) == [ContentErased()]
    assert await stage.sql("SELECT old_name FROM renames") == []


async def test_a_copy_from_an_upgrade_loses_the_old_names_too(stage: Stage, ming: User, hong: User) -> None:
    await stage.room.rename.rename(ming, "明月")
    gone = await stage.run(erased_old_names)
    await stage.room.rename.rename(hong, "红叶")  # this row stands for a row of the copy that the database has deleted
    assert await stage.run(gone) == 1
    assert await stage.sql("SELECT old_name FROM renames ORDER BY user_id") == [("小明",), (None,)]


async def test_the_proof_of_a_ledger_does_not_change_and_its_page_names_the_member(
    stage: Stage, wang: User, ming: User
) -> None:
    await stage.room.windows.start(wang, 100)
    await stage.room.place_order.place(ming, [], "草莓两盒")
    before = await stage.run(lambda tx: journal.entries(tx, 1))
    await stage.room.rename.rename(ming, "明月")
    after = await stage.run(lambda tx: journal.entries(tx, 1))
    assert after == before and journal.first_wrong(after) is None
    assert await stage.sql("SELECT u.name FROM orders o JOIN users u ON u.id = o.user_id") == [("明月",)]


async def test_a_name_that_a_bot_or_the_operator_wants_waits_too(stage: Stage, wang: User, ming: User) -> None:
    await stage.room.rename.rename(ming, "明月")
    with refuses(ErrorCode.NAME_TAKEN):
        await stage.room.administrators.make_administrator("小明", "correct horse 电池")
    await stage.room.members.act(wang, ming.id, Act.TAKE_NAME)
    _, is_new = await stage.room.administrators.make_administrator("小明", "correct horse 电池")
    assert is_new
