"""Names that are offered after an @: of all members, found by characters or by the initials of their pinyin."""

from __future__ import annotations

import pytest

from chatserver.core.folding import fold
from chatserver.core.model import User
from chatserver.features.accounts.moderate import Act
from chatserver.features.accounts.name_search import NAMES_MAX, initials
from tests.client import House
from tests.stage import Stage


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("张", ["张三", "小张"]), ("zs", ["张三"]), ("张s", ["张三"]), ("Z", ["张三", "小张"]), ("ou", []),
        ("oyf", ["欧阳锋"]), ("阳", ["欧阳锋"]), ("LI", ["Lily"]), ("ily", ["Lily"]), ("é", ["José"]),
        ("e\u0301", ["José"]), ("ll", ["刘流"]), ("", []), ("张" * 21, []), ("没有", []), ("%", []), ("_", []),
        ("\ud800", []),
    ],
)  # fmt: skip
async def test_names_are_found_that_begin_with_the_query_then_those_that_contain_it(
    stage: Stage, query: str, names: list[str]
) -> None:
    for name in ("小张", "张三", "欧阳锋", "Lily", "José", "刘流"):
        await stage.join(name)
    assert await stage.room.name_search.find(query) == names


async def test_new_renamed_and_banned_members_are_known_at_once(stage: Stage, wang: User) -> None:
    search, moderate = stage.room.name_search, stage.room.members
    ming = await stage.join("小明")
    assert await search.find("小") == ["小明"]
    hong = await stage.join("小红")
    assert await search.find("小") == ["小明", "小红"]
    renamed = (await moderate.act(wang, ming.id, Act.TAKE_NAME)).user.name
    assert await search.find("小") == ["小红"] and await search.find(renamed) == [renamed]
    await moderate.act(wang, hong.id, Act.BAN)
    assert await search.find("小") == []
    await moderate.act(wang, hong.id, Act.UNBAN)
    assert await search.find("小") == ["小红"]


async def test_at_most_eight_are_told_however_many_are_banned(stage: Stage, wang: User) -> None:
    members = [await stage.join(f"同名{n}") for n in range(20)]
    for member in members[:5]:
        await stage.room.members.act(wang, member.id, Act.BAN)
    assert await stage.room.name_search.find("同") == [member.name for member in members[5 : 5 + NAMES_MAX]]


def test_every_common_character_has_one_initial() -> None:
    characters = "".join(map(chr, range(0x4E00, 0xA000)))
    assert set(initials(characters)) == set("abcdefghjklmnopqrstwxyz")
    assert initials(fold("李雷Lily と〇")) == "llLily と〇".lower()


async def test_members_may_ask_and_guests_may_not_and_not_without_end(house: House) -> None:
    admin = await house.administrator("店长")
    assert (await (await house.guest()).get("/api/names/?q=店")).status == 401
    assert (await admin.get("/api/names/?q=店")).json == {"names": ["店长"]}
    assert (await admin.get("/api/names/")).json == {"names": []}
    for _ in range(18):
        assert (await admin.get("/api/names/?q=d")).status == 200
    refused = await admin.get("/api/names/?q=d")
    assert (refused.status, refused.code) == (429, "too_fast")
    house.clock.forward(1)
    assert (await admin.get("/api/names/?q=dz")).json == {"names": ["店长"]}
