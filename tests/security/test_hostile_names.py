"""Names that hide characters or look like another member's name are refused in every spelling."""

from __future__ import annotations

import pytest

from tests.client import House

HIDDEN = {
    "zero width space": "小\u200b明", "zero width non-joiner": "ali\u200cce", "zero width joiner": "ali\u200dce",
    "word joiner": "ali\u2060ce", "invisible times": "ali\u2062ce", "byte order mark": "\ufeffalice",
    "soft hyphen": "al\u00adice", "Mongolian separator": "ali\u180ece", "Hangul filler": "\u3164\u3164",
    "halfwidth filler": "a\uffa0b", "tag letters": "alice\U000e0061\U000e0062", "variation": "小\ufe0f明",
    "right-to-left override": "\u202eecila", "left-to-right mark": "alice\u200e", "Arabic letter mark": "ali\u061cce",
    "isolate": "\u2066alice\u2069", "annotation": "a\ufff9b\ufffac", "object": "a\ufffcb", "line separator": "a\u2028b",
    "fullwidth": "ａｌｉｃｅ", "halfwidth katakana": "ｱﾘｽ", "Kangxi": "⼩⽉", "CJK radical": "⺼明",
    "circled": "ⓐⓛⓘⓒⓔ", "mathematical": "𝖆𝖑𝖎𝖈𝖊", "ligature": "ﬁona",
    "crown": "小明👑", "tick": "小明✓", "shield": "小明🛡", "lozenge": "小明◆管", "enclosed": "小明㊙",
}  # fmt: skip
MIXED = {"Cyrillic in Latin": "аlice", "Greek in Latin": "αlice", "Latin in Cyrillic": "Алиcа", "Cherokee": "Ꭰlice"}
TITLES = [
    "管理员", "管理員", "超级管理", "超級管理", "超級管理員", "小明管理员", "管·理·员", "管 理 员", "系统", "官方",
    "客服", "admin", "Admin", "ADMIN1", "a.d.m.i.n", "adrnin", "4dm1n", "administrator", "root", "system", "moderator",
    "админ", "관리자",
]  # fmt: skip
LOOK_ALIKES = [
    ("Alice", "AIice"),
    ("Bob1", "Bobl"),
    ("coco", "сосо"),
    ("小日", "小曰"),
    ("不明", "\uf967明"),
    ("José", "JOSE\u0301"),
]


@pytest.mark.parametrize("name", [*HIDDEN.values(), *MIXED.values(), *TITLES])
async def test_nobody_registers_under_it(house: House, name: str) -> None:
    answer = await (await house.guest()).register(name)
    assert (answer.status, answer.code) == (400, "name_invalid")


@pytest.mark.parametrize(("taken", "alike"), LOOK_ALIKES)
async def test_nobody_looks_like_somebody_who_is_here(house: House, taken: str, alike: str) -> None:
    await house.member(taken)
    answer = await (await house.guest()).register(alike)
    assert (answer.status, answer.code) == (409, "name_taken")


async def test_the_badge_is_drawn_from_the_role_alone(house: House) -> None:
    """A name that the operator may give has no permissions, and an administrator needs no such name."""
    member = await house.member("小明")
    assert (await member.say("hello"))["role"] == "member"
    assert (await (await house.administrator("阿花")).say("hello"))["role"] == "administrator"
