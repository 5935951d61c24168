"""Whom a text mentions: the same cases as in the test of the page's rule (tests/browser/test_reactions_mentions.py)."""

from __future__ import annotations

import pytest

from chatserver.core.model import Role
from chatserver.features.push.mentions import MENTIONS_MAX, may_mention, mentioned, mentions_everybody
from tests.stage import Stage

NAMES = ("小明", "小明明", "小红", "li", "lily", "Anna", "Anna Lee")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@小明 在吗", {"小明"}),
        ("＠小明", {"小明"}),
        ("在吗@小明，@小红。", {"小明", "小红"}),
        ("@小明明 好", {"小明明"}),
        ("@小明明明", {"小明明"}),
        ("@lily", {"lily"}),
        ("@LILY!", {"lily"}),
        ("@Ｌｉｌｙ", {"lily"}),
        ("@li", {"li"}),
        ("@lil", set()),
        ("@lily2", set()),
        ("@lily小", {"lily"}),
        ("mail a@lily.example", set()),
        ("你好@lily", {"lily"}),
        ("@li\u0301ly", set()),
        ("@ 小明", set()),
        ("小明", set()),
        ("@", set()),
        ("@Anna Lee 好", {"Anna Lee"}),
        ("@Anna 好", {"Anna"}),
        ("@@小明", {"小明"}),
    ],
)
async def test_a_mention_is_the_longest_name_after_the_sign(stage: Stage, text: str, names: set[str]) -> None:
    members = {
        name: (await stage.join(name)).id for name in ("小明", "小明明", "小红", "li", "lily", "Anna", "Anna Lee")
    }
    found = await stage.run(lambda tx: mentioned(tx, text))
    assert found == {members[name] for name in names}
    assert may_mention(text) or not names


async def test_a_text_of_signs_alone_is_read_to_a_bound(stage: Stage) -> None:
    ming = await stage.join("小明")
    assert await stage.run(lambda tx: mentioned(tx, "@" * 9_000)) == set()
    assert await stage.run(lambda tx: mentioned(tx, "@x " * (MENTIONS_MAX - 1) + "@小明")) == {ming.id}
    assert await stage.run(lambda tx: mentioned(tx, "@x " * MENTIONS_MAX + "@小明")) == set()


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("@所有人 开会", True),
        ("@all", True),
        ("＠ALL：", True),
        ("@allen", False),
        ("mail@all", False),
        ("所有人", False),
    ],
)
def test_an_administrator_mentions_everybody(text: str, is_so: bool) -> None:
    assert mentions_everybody(text, Role.ADMINISTRATOR) is is_so
    assert not mentions_everybody(text, Role.MEMBER)
    assert not mentions_everybody(text, Role.BOT)
