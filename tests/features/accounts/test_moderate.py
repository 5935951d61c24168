"""Muting, banning, promoting: who may do it, its immediate effect, and how it is undone."""

from __future__ import annotations

import asyncio

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.features.accounts import permissions
from chatserver.features.accounts.events import MemberChanged, SessionsEnded
from chatserver.features.accounts.moderate import MUTE_SECONDS, MUTE_SECONDS_MAX, Act
from tests.stage import Stage, refuses

PASSWORD = "strawberries at noon"
HERE = "192.0.2.1"


async def test_a_muted_member_is_not_heard_until_the_time_is_over(stage: Stage, ming: User, wang: User) -> None:
    member = await stage.room.members.act(wang, ming.id, Act.MUTE, 60)
    with refuses(ErrorCode.MUTED) as caught:
        await stage.said(ming)
    assert caught.details["until_ms"] == member.muted_until_ms
    message = await stage.said(wang)
    with refuses(ErrorCode.MUTED):
        await stage.room.react.react(ming, message.id, "🎉", True)
    with refuses(ErrorCode.MUTED):
        await stage.run(lambda tx: permissions.require_speaker(tx, ming, stage.clock.now_ms()))
    stage.clock.forward(60)
    await stage.said(ming)


async def test_a_mute_is_for_an_hour_unless_told_and_can_be_taken_back(stage: Stage, ming: User, wang: User) -> None:
    member = await stage.room.members.act(wang, ming.id, Act.MUTE)
    assert member.muted_until_ms == stage.clock.now_ms() + MUTE_SECONDS * 1000
    member = await stage.room.members.act(wang, ming.id, Act.UNMUTE)
    assert member.muted_until_ms == 0
    await stage.said(ming)


async def test_a_muted_member_may_still_take_back_what_was_said(stage: Stage, ming: User, wang: User) -> None:
    message = await stage.said(ming)
    await stage.room.members.act(wang, ming.id, Act.MUTE)
    await stage.room.recall.recall(ming, message.id)


@pytest.mark.parametrize("seconds", [0, -1, MUTE_SECONDS_MAX + 1])
async def test_a_mute_has_a_length(stage: Stage, ming: User, wang: User, seconds: int) -> None:
    with refuses(ErrorCode.BAD_REQUEST):
        await stage.room.members.act(wang, ming.id, Act.MUTE, seconds)


async def test_only_a_mute_has_a_length(stage: Stage, ming: User, wang: User) -> None:
    with refuses(ErrorCode.BAD_REQUEST):
        await stage.room.members.act(wang, ming.id, Act.BAN, 60)


async def test_a_ban_ends_every_login_and_lets_none_begin(stage: Stage, ming: User, hong: User, wang: User) -> None:
    await stage.room.administrators.reset_password("小明", PASSWORD)
    tokens = [await stage.room.sessions.start(ming.id, "", HERE) for _ in range(3)]
    other = await stage.room.sessions.start(hong.id, "", HERE)
    ids = tuple(session.id for session in reversed(await stage.room.sessions.of_user(ming)))
    stage.told()
    await stage.room.members.act(wang, ming.id, Act.BAN)
    [ended] = stage.told(SessionsEnded)
    assert (set(ended.session_ids), ended.banned) == (set(ids), True)
    assert [await stage.room.sessions.find(token) for token in tokens] == [None] * 3
    assert await stage.room.sessions.find(other) is not None
    with refuses(ErrorCode.BANNED):
        await stage.log_in("小明", PASSWORD, HERE)
    with refuses(ErrorCode.LOGIN_FAILED):  # a password that was checked just before the ban
        await stage.room.sessions.start(ming.id, "", HERE)
    with refuses(ErrorCode.BANNED):
        await stage.said(ming)


async def test_a_wrong_password_learns_nothing_of_a_ban(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.administrators.reset_password("小明", PASSWORD)
    await stage.room.members.act(wang, ming.id, Act.BAN)
    with refuses(ErrorCode.LOGIN_FAILED):
        await stage.log_in("小明", "not the password", HERE)


async def test_a_ban_that_is_lifted_brings_no_old_login_back(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.administrators.reset_password("小明", PASSWORD)
    token = await stage.room.sessions.start(ming.id, "", HERE)
    await stage.room.members.act(wang, ming.id, Act.BAN)
    await stage.room.members.act(wang, ming.id, Act.UNBAN)
    assert await stage.room.sessions.find(token) is None
    assert await stage.log_in("小明", PASSWORD, HERE) == ming


async def test_power_is_given_and_taken_and_everybody_is_told(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.members.act(wang, ming.id, Act.PROMOTE)
    assert stage.told(MemberChanged) == [MemberChanged(User(ming.id, "小明", Role.ADMINISTRATOR))]
    await stage.room.windows.start(ming, 60)
    await stage.room.members.act(wang, ming.id, Act.DEMOTE)
    with refuses(ErrorCode.FORBIDDEN):
        await stage.room.windows.start(ming, 60)


@pytest.mark.parametrize("act", Act)
async def test_nobody_acts_on_themself(stage: Stage, wang: User, act: Act) -> None:
    with refuses(ErrorCode.FORBIDDEN) as caught:
        await stage.room.members.act(wang, wang.id, act)
    assert caught.details == {"reason": "self"}
    await stage.room.windows.start(wang, 60)


@pytest.mark.parametrize("act", Act)
async def test_members_and_the_banned_act_on_nobody(stage: Stage, ming: User, hong: User, wang: User, act: Act) -> None:
    with refuses(ErrorCode.FORBIDDEN):
        await stage.room.members.act(ming, hong.id, act)
    other = await stage.join("老李", Role.ADMINISTRATOR)
    await stage.room.members.act(wang, other.id, Act.BAN)
    with refuses(ErrorCode.BANNED):
        await stage.room.members.act(other, hong.id, act)
    with refuses(ErrorCode.BANNED):
        await stage.room.members.find(other, "", 0, 10)


@pytest.mark.parametrize("act", [Act.BAN, Act.DEMOTE])
async def test_two_who_end_each_others_power_leave_one_administrator(stage: Stage, wang: User, act: Act) -> None:
    other = await stage.join("老李", Role.ADMINISTRATOR)
    moderation = stage.room.members
    one, two = await asyncio.gather(
        moderation.act(wang, other.id, act), moderation.act(other, wang.id, act), return_exceptions=True
    )
    assert isinstance(two, DomainError) and not isinstance(one, BaseException)
    await stage.room.windows.start(wang, 60)


@pytest.mark.parametrize("act", Act)
async def test_an_act_on_nobody_is_told_so(stage: Stage, wang: User, act: Act) -> None:
    with refuses(ErrorCode.NOT_FOUND):
        await stage.room.members.act(wang, 999, act)


@pytest.mark.parametrize("act", Act)
async def test_the_same_act_again_has_the_same_answer(stage: Stage, ming: User, wang: User, act: Act) -> None:
    once = await stage.room.members.act(wang, ming.id, act)
    assert await stage.room.members.act(wang, ming.id, act) == once


async def test_the_banned_are_not_made_administrators_but_by_the_operator(stage: Stage, ming: User, wang: User) -> None:
    await stage.room.members.act(wang, ming.id, Act.BAN)
    with refuses(ErrorCode.BANNED):
        await stage.room.members.act(wang, ming.id, Act.PROMOTE)
    user, _ = await stage.room.administrators.make_administrator("小明", PASSWORD)
    assert await stage.log_in("小明", PASSWORD, HERE) == user
    await stage.room.windows.start(user, 60)


async def test_members_are_found_by_what_their_name_looks_like(
    stage: Stage, ming: User, hong: User, wang: User
) -> None:
    alice = await stage.join("Alice")

    async def found(look: str, after: int = 0, limit: int = 10) -> list[int]:
        return [member.user.id for member in await stage.room.members.find(wang, look, after, limit)]

    assert await found("小") == [ming.id, hong.id]
    assert await found(" aIice ") == [alice.id]
    assert await found("%") == []
    assert await found("", after=hong.id) == [wang.id, alice.id]
    assert await found("", limit=1) == [ming.id]


async def test_a_password_that_was_replaced_meanwhile_begins_no_login(stage: Stage, ming: User) -> None:
    await stage.room.administrators.reset_password("小明", PASSWORD)
    account = await stage.room.login.authenticate("小明", PASSWORD, HERE)
    await stage.room.administrators.reset_password("小明", "another long one")
    with refuses(ErrorCode.LOGIN_FAILED):
        await stage.room.sessions.start(ming.id, "", HERE, account.password)


async def test_a_reset_is_not_undone_by_a_change_that_began_before_it(stage: Stage, ming: User) -> None:
    """A thief who knows the old password and has a stolen session must not undo the operator's reset."""
    await stage.room.administrators.reset_password("小明", PASSWORD)
    hasher = stage.room.profile._hasher
    original = hasher.hash

    async def slow(password: str) -> str:
        hasher.hash = original  # type: ignore[method-assign]
        await stage.room.administrators.reset_password("小明", "the operators own")
        return await original(password)

    hasher.hash = slow  # type: ignore[method-assign]
    with refuses(ErrorCode.LOGIN_FAILED):
        await stage.room.profile.change_password(ming, PASSWORD, "the thiefs own one", 1)
    assert await stage.log_in("小明", "the operators own", HERE) == ming
