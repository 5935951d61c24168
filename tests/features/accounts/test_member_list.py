"""The list of all members: for members, 50 at a time, with a search."""

from __future__ import annotations

from typing import Any

import pytest

from chatserver.core.model import Role, User
from chatserver.features.accounts.member_list import PAGE_MEMBERS
from chatserver.features.accounts.moderate import Act
from tests.bots import made, running
from tests.client import House
from tests.stage import Stage


async def names(stage: Stage, part: str = "") -> list[str]:
    return [member.user.name for member in (await stage.room.member_list.find(part, 0))[0]]


async def test_a_member_sees_who_everybody_is_and_since_when(house: House) -> None:
    ming, admin = await house.member("小明"), await house.administrator("店长")
    house.clock.forward(60)
    answer = (await ming.get("/api/members/")).json
    known = {row["name"]: row for row in (await admin.get("/members/")).json["members"]}
    fields = ("id", "name", "role", "avatar", "created_ms", "old_name")
    assert answer == {"members": [{key: known[name][key] for key in fields} for name in ("店长", "小明")], "next": None}
    await ming.post("/profile/", {"username": "明月"})
    for part in ("my", "明月", "小明", "xm"):
        [found] = (await admin.get(f"/api/members/?q={part}")).json["members"]
        assert (found["name"], found["old_name"]) == ("明月", "小明")


async def test_a_guest_sees_no_list_also_where_guests_may_read(house: House) -> None:
    await house.member("小明")
    guest = await house.guest()
    refused = await guest.get("/api/members/")
    assert (refused.status, refused.code) == (401, "login_required")
    page = await guest.page("/people/")
    assert (page.status, page.headers["Location"]) == (303, "/login/?next=/people/")


async def test_a_bot_is_in_the_list_and_does_not_read_it(house: House) -> None:
    admin = await house.administrator("店长")
    token = (await made(admin))["token"]
    async with running(house, token) as bot:
        assert (await bot.get("/api/members/")).code == "forbidden"
    assert [row["role"] for row in (await admin.get("/api/members/")).json["members"]] == ["administrator", "bot"]


async def test_a_muted_member_sees_it(house: House) -> None:
    admin, ming = await house.administrator("店长"), await house.member("小明")
    member_id = (await ming.get("/api/members/?q=小明")).json["members"][0]["id"]
    await admin.post(f"/members/{member_id}/", {"act": "mute"})
    assert (await ming.get("/api/members/")).status == 200


async def test_administrators_are_first_and_bots_last_and_the_banned_are_left_out(stage: Stage, wang: User) -> None:
    await stage.join("小助手", Role.BOT)
    ming, hong = await stage.join("小明"), await stage.join("小红")
    await stage.join("店长", Role.ADMINISTRATOR)
    removed = await stage.join("旧助手", Role.BOT)
    await stage.sql("DELETE FROM bots WHERE user_id = ?", removed.id)
    assert await names(stage) == ["老王", "店长", "小明", "小红", "小助手"]
    await stage.room.members.act(wang, ming.id, Act.BAN)
    assert await names(stage) == ["老王", "店长", "小红", "小助手"]
    assert await names(stage, "小明") == []
    await stage.room.members.act(wang, hong.id, Act.PROMOTE)
    assert await names(stage) == ["老王", "小红", "店长", "小助手"]


@pytest.mark.parametrize(
    ("part", "found"),
    [
        ("张", ["小张", "张三"]), ("zs", ["张三"]), ("张s", ["张三"]), ("阳", ["欧阳锋"]), ("LI", ["Lily"]),
        ("没有", []), ("%", []), ("_", []), ("张" * 21, []), ("", ["小张", "张三", "欧阳锋", "Lily"]),
    ],
)  # fmt: skip
async def test_the_search_is_that_of_the_names_after_an_at(stage: Stage, part: str, found: list[str]) -> None:
    for name in ("小张", "张三", "欧阳锋", "Lily"):
        await stage.join(name)
    assert await names(stage, part) == found


@pytest.mark.parametrize("part", ["", "同名"])
async def test_page_by_page_everybody_is_listed_once(stage: Stage, wang: User, part: str) -> None:
    joined = [await stage.join(f"同名{n}") for n in range(2 * PAGE_MEMBERS)]
    await stage.room.members.act(wang, joined[-1].id, Act.PROMOTE)
    seen: list[User] = []
    after: int | None = 0
    lengths = []
    while after is not None:
        page, after = await stage.room.member_list.find(part, after)
        lengths.append(len(page))
        seen += [member.user for member in page]
    assert lengths == [PAGE_MEMBERS, PAGE_MEMBERS, *([1] if not part else [])]
    assert [user.id for user in seen if user.id != wang.id] == [joined[-1].id, *(user.id for user in joined[:-1])]


async def test_a_page_is_bounded_and_a_member_asks_so_often(house: House) -> None:
    admin = await house.administrator("店长")
    assert (await admin.get("/api/members/?after=x")).code == "bad_request"
    assert (await admin.get("/api/members/?after=999")).json == {"members": [], "next": None}
    answers: list[Any] = [await admin.get("/api/members/") for _ in range(19)]
    assert [answer.status for answer in answers] == [200] * 18 + [429]
    assert answers[-1].code == "too_fast" and answers[-1].json["error"]["retry_after_ms"] > 0
    house.clock.forward(1)
    assert (await admin.page("/people/")).status == 200


async def test_without_scripts_it_is_a_page(house: House) -> None:
    admin = await house.administrator("店长")
    for n in range(PAGE_MEMBERS):
        await house.server.room.administrators.make_administrator(f"第{n}位", "correct horse 电池")
    text = (await admin.page("/people/")).text
    assert text.count("data-member=") == PAGE_MEMBERS and "管理员" in text
    assert 'href="/people/?q=&amp;after=' in text
    found = (await admin.page("/people/?q=第0")).text
    assert found.count("data-member=") == 1 and 'value="第0"' in found
    assert "没有找到成员" in (await admin.page("/people/?q=没有")).text
