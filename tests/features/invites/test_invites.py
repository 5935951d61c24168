"""Invitations: for how many members, for how long, and that no member joins without one."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store
from chatserver.features.accounts.moderate import Act
from chatserver.features.invites import invites, used
from tests.stage import Stage, refuses

PASSWORD = "correct horse 电池"
pytestmark = pytest.mark.settings(registration="invite")


async def invited(stage: Stage, uses: int = 1, hours: float = 1) -> str:
    return (await stage.room.invites.create(uses, hours)).code


async def register(stage: Stage, name: str, code: str) -> User:
    return await stage.room.register.register(name, PASSWORD, code, "192.0.2.1")


async def test_an_invitation_lets_as_many_in_as_it_says(stage: Stage) -> None:
    code = await invited(stage, uses=2)
    await register(stage, "小明", code)
    await register(stage, "小红", code)
    with refuses(ErrorCode.INVITE_INVALID):
        await register(stage, "小刚", code)
    assert await stage.sql("SELECT * FROM invites") == []


@pytest.mark.parametrize("code", ["", "guessed", "x" * 10_000, "\ud800"])
async def test_without_a_good_one_nobody_comes_in(stage: Stage, code: str) -> None:
    await invited(stage)
    with refuses(ErrorCode.INVITE_INVALID):
        await register(stage, "小明", code)


async def test_it_is_refused_before_any_work_is_done(stage: Stage) -> None:
    with refuses(ErrorCode.INVITE_INVALID):
        await stage.room.register.check("小明", PASSWORD, "guessed", "192.0.2.1")
    code = await invited(stage)
    await stage.room.register.check("小明", PASSWORD, f" {code}\n", "192.0.2.1")
    await stage.room.register.check("小明", PASSWORD, code, "192.0.2.1")  # a check takes no use
    await register(stage, "小明", code)


@pytest.mark.parametrize("act", [Act.DEMOTE, Act.BAN])
async def test_it_ends_with_the_role_of_who_made_it(stage: Stage, wang: User, act: Act) -> None:
    other = await stage.join("店长", Role.ADMINISTRATOR)
    invites = stage.room.invites
    ended, kept = (await invites.create(2, 1, maker=other)).code, (await invites.create(2, 1, maker=wang)).code
    await register(stage, "小明", ended)
    await stage.room.members.act(wang, other.id, act)
    with refuses(ErrorCode.INVITE_INVALID):
        await stage.room.register.check("小红", PASSWORD, ended, "192.0.2.1")
    with refuses(ErrorCode.INVITE_INVALID):
        await register(stage, "小红", ended)
    assert [invite.made_by for invite in await invites.opened(wang)] == [wang.name]
    await register(stage, "小红", kept)


@pytest.mark.parametrize(("ends", "returns"), [(Act.DEMOTE, Act.PROMOTE), (Act.BAN, Act.UNBAN)])
async def test_it_does_not_come_back_with_the_role(stage: Stage, wang: User, ends: Act, returns: Act) -> None:
    other = await stage.join("店长", Role.ADMINISTRATOR)
    ended = (await stage.room.invites.create(2, 1, maker=other)).code
    await stage.room.members.act(wang, other.id, ends)
    await stage.room.members.act(wang, other.id, returns)
    with refuses(ErrorCode.INVITE_INVALID):
        await register(stage, "小红", ended)
    assert await stage.sql("SELECT * FROM invites") == []


async def test_of_many_who_have_the_last_use_one_gets_in(stage: Stage) -> None:
    code = await invited(stage, uses=2)
    done = await asyncio.gather(*(register(stage, f"guest {n}", code) for n in "一二三四五"), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["DomainError"] * 3 + ["User"] * 2
    assert {each.code for each in done if isinstance(each, DomainError)} == {ErrorCode.INVITE_INVALID}
    assert await stage.sql("SELECT count(*) FROM users") == [(2,)]


async def test_who_is_refused_for_a_name_keeps_the_invitation(stage: Stage) -> None:
    await stage.join("小明")
    code = await invited(stage)
    with refuses(ErrorCode.NAME_TAKEN):
        await register(stage, "小明", code)
    await register(stage, "小红", code)


async def test_it_works_until_its_time_is_over(stage: Stage) -> None:
    code = await invited(stage, uses=9, hours=0.5)
    stage.clock.forward(1799)
    await register(stage, "小明", code)
    stage.clock.forward(1)
    with refuses(ErrorCode.INVITE_INVALID):
        await register(stage, "小红", code)
    await invited(stage)
    # the older invitation ended when a new one was made
    assert await stage.sql("SELECT count(*) FROM invites") == [(1,)]


@pytest.mark.settings(registration="open")
async def test_where_everybody_may_register_an_invitation_is_left_alone(stage: Stage) -> None:
    code = await invited(stage)
    await register(stage, "小明", code)
    await register(stage, "小红", "guessed")
    assert await stage.sql("SELECT uses_left FROM invites") == [(1,)]


@pytest.mark.settings(registration="closed")
async def test_where_nobody_may_an_invitation_opens_nothing(stage: Stage) -> None:
    code = await invited(stage)
    with refuses(ErrorCode.REGISTRATION_CLOSED):
        await register(stage, "小明", code)


async def test_a_door_that_closes_while_a_password_is_hashed_is_closed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = await invited(stage)

    async def hash(password: str) -> str:
        stage.set(registration="closed")
        return "none"

    monkeypatch.setattr(stage.room.register._hasher, "hash", hash)
    with refuses(ErrorCode.REGISTRATION_CLOSED):
        await register(stage, "小明", code)
    assert await stage.sql("SELECT uses_left FROM invites") == [(1,)]


async def test_the_database_holds_no_code(stage: Stage) -> None:
    code = await invited(stage)
    assert code.encode() not in b"".join(str(row).encode() for row in await stage.sql("SELECT * FROM invites"))


@pytest.mark.parametrize(
    ("uses", "hours", "field"), [(0, 1, "uses"), (10_001, 1, "uses"), (1, 0, "hours"), (1, 1e9, "hours")]
)
async def test_an_invitation_for_nobody_or_for_ever_is_refused(
    stage: Stage, uses: int, hours: float, field: str
) -> None:
    with refuses(ErrorCode.BAD_REQUEST) as caught:
        await stage.room.invites.create(uses, hours)
    assert caught.details == {"field": field}


async def test_a_member_keeps_the_invitation_that_they_came_by(stage: Stage, wang: User) -> None:
    operators, once = await invited(stage, uses=2), (await stage.room.invites.create(1, 1, maker=wang)).code
    first = await register(stage, "小明", once)
    for name in ("小红", "小刚"):
        await register(stage, name, operators)
    with refuses(ErrorCode.NAME_TAKEN):
        await register(stage, "小刚", await invited(stage))
    assert [(each.made_by, each.joined.names) for each in await stage.room.invites.used(wang)] == [
        ("", ("小红", "小刚")), (wang.name, ("小明",)),
    ]  # fmt: skip
    await stage.room.members.act(wang, first.id, Act.TAKE_NAME)
    assert (await stage.room.invites.used(wang))[1].joined.names != ("小明",)
    with refuses(ErrorCode.FORBIDDEN):
        await stage.room.invites.used(first)


async def test_a_long_list_of_names_is_cut_and_counted(stage: Stage, wang: User) -> None:
    code = await invited(stage, uses=60)
    for n in range(52):
        await stage.run(lambda tx, n=n: used.assign(tx, _add(tx, n), invites.use(tx, code, stage.clock.now_ms())))
    [opened] = await stage.room.invites.opened(wang)
    assert (opened.uses_left, len(opened.joined.names), opened.joined.count) == (8, 50, 52)


def _add(tx: Transaction, n: int) -> int:
    user = store.insert(tx, f"成员{n}", f"成员{n}", "none", Role.MEMBER, "", 0)
    assert user is not None
    return user.id
