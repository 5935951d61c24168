"""Registration, login, a new password, a new avatar, and who becomes administrator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import ContentErased
from chatserver.core.model import Role, User
from chatserver.features.accounts.events import MemberChanged, SessionsEnded
from tests.stage import Stage, refuses, staged
from tests.support import FakeClock

PASSWORD = "correct horse battery"
OTHER_PASSWORD = "staple of another kind"
HERE, THERE = "192.0.2.1", "192.0.2.2"
MINUTE = 60


async def register(stage: Stage, name: str, address: str = HERE, avatar: str = "") -> User:
    return await stage.room.register.register(name, PASSWORD, "", address, avatar)


async def fail(stage: Stage, name: str, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with refuses(ErrorCode.LOGIN_FAILED):
            await stage.log_in(name, "not the password", address)


# Registering


async def test_a_member_registers_and_logs_in(stage: Stage) -> None:
    user = await register(stage, " 小明 ", avatar="avatars/a.webp")
    assert (user.name, user.role, user.avatar) == ("小明", Role.MEMBER, "avatars/a.webp")
    assert await stage.log_in("小明", PASSWORD, HERE) == user


@pytest.mark.parametrize(
    ("first", "second"), [("Anna", "anna"), ("Anna", "ANNA"), ("pa0lo", "paOlo"), ("小明", "小明")]
)
async def test_a_name_that_looks_like_anothers_is_taken(stage: Stage, first: str, second: str) -> None:
    await register(stage, first)
    with refuses(ErrorCode.NAME_TAKEN):
        await register(stage, second)


async def test_of_two_who_register_one_name_at_once_one_gets_it(stage: Stage) -> None:
    answers = await asyncio.gather(*(register(stage, "小明") for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, DomainError)} == {ErrorCode.NAME_TAKEN}


async def test_bad_names_and_weak_passwords_are_refused(stage: Stage) -> None:
    with refuses(ErrorCode.NAME_INVALID):
        await register(stage, "管理员")
    with refuses(ErrorCode.NAME_INVALID):
        await register(stage, "")
    with refuses(ErrorCode.PASSWORD_WEAK):
        await stage.room.register.register("小明", "12345678", "", HERE)
    assert await stage.sql("SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    ("policy", "code"), [("closed", ErrorCode.REGISTRATION_CLOSED), ("invite", ErrorCode.INVITE_INVALID)]
)
async def test_nobody_registers_against_the_policy(stage: Stage, policy: str, code: ErrorCode) -> None:
    stage.set(registration=policy)
    with refuses(code):
        await stage.room.register.register("小明", PASSWORD, "no such invitation", HERE)
    assert await stage.sql("SELECT count(*) FROM users") == [(0,)]


async def test_one_address_registers_so_many_in_an_hour(stage: Stage) -> None:
    stage.set(registrations_per_hour=2)
    await register(stage, "one")
    with refuses(ErrorCode.NAME_TAKEN):
        await register(stage, "one")  # a refused attempt does not count
    await register(stage, "two")
    with refuses(ErrorCode.TOO_FAST) as refusal:
        await register(stage, "three")
    assert 0 < refusal.details["retry_after_ms"] <= 3_600_000
    await register(stage, "four", THERE)
    stage.clock.forward(3600)
    await register(stage, "three")


async def test_registrations_at_the_same_time_are_counted(stage: Stage) -> None:
    stage.set(registrations_per_hour=2)
    answers = await asyncio.gather(*(register(stage, f"member {n}") for n in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 2


# Logging in


async def test_a_name_is_found_however_its_letters_are_written(stage: Stage) -> None:
    user = await register(stage, "Anna")
    for typed in ("anna", "ANNA", " Anna "):
        assert await stage.log_in(typed, PASSWORD, HERE) == user


async def test_an_unknown_name_and_a_wrong_password_are_told_the_same(stage: Stage) -> None:
    await register(stage, "小明")
    told = []
    for name in ("小明", "小红", "", "\udcff", "x" * 10_000, "<script>"):
        with refuses(ErrorCode.LOGIN_FAILED) as refusal:
            await stage.log_in(name, "not the password", THERE)
        told.append(refusal.details)
    assert told == [{}] * 6


async def test_an_unknown_name_costs_a_hash_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    async def verify(password: str, hashed: str | None) -> bool:
        asked.append(hashed)
        return False

    monkeypatch.setattr(stage.room.login._hasher, "verify", verify)
    await fail(stage, "nobody", 1)
    assert asked == [None]


async def test_five_failures_close_an_account_for_a_quarter_of_an_hour(stage: Stage) -> None:
    await register(stage, "小明")
    await fail(stage, "小明", 5)
    for address in (HERE, THERE):
        with refuses(ErrorCode.LOGIN_THROTTLED) as refusal:
            await stage.log_in("小明", PASSWORD, address)
        assert 0 < refusal.details["retry_after_ms"] <= 15 * MINUTE * 1000
    stage.clock.forward(15 * MINUTE)
    await stage.log_in("小明", PASSWORD, HERE)


async def test_look_alike_spellings_are_one_account_to_the_throttle(stage: Stage) -> None:
    await register(stage, "Anna")
    for name in ("Anna", "anna", "ANNA", "aNNa", "annA"):
        await fail(stage, name, 1)
    with refuses(ErrorCode.LOGIN_THROTTLED):
        await stage.log_in("Anna", PASSWORD, THERE)


async def test_names_that_do_not_exist_are_throttled_as_well(stage: Stage) -> None:
    await fail(stage, "nobody", 5)
    with refuses(ErrorCode.LOGIN_THROTTLED):
        await stage.log_in("nobody", PASSWORD, THERE)


async def test_guesses_at_the_same_time_are_counted(stage: Stage) -> None:
    await register(stage, "小明")
    guesses = (stage.log_in("小明", f"guess {n}", f"192.0.2.{n}") for n in range(12))
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    codes = [answer.code for answer in answers if isinstance(answer, DomainError)]
    assert (codes.count(ErrorCode.LOGIN_FAILED), codes.count(ErrorCode.LOGIN_THROTTLED)) == (5, 7)


async def test_a_success_forgives_the_account(stage: Stage) -> None:
    await register(stage, "小明")
    for _ in range(2):
        await fail(stage, "小明", 4)
        await stage.log_in("小明", PASSWORD, HERE)


async def test_twenty_failures_close_an_address(stage: Stage) -> None:
    await register(stage, "小明")
    for number in range(10):
        await fail(stage, f"name {number}", 2)
        if number == 5:
            await stage.log_in("小明", PASSWORD, HERE)  # this attempt is not counted and clears nothing
    with refuses(ErrorCode.LOGIN_THROTTLED):
        await stage.log_in("小明", PASSWORD, HERE)
    await stage.log_in("小明", PASSWORD, THERE)
    stage.clock.forward(15 * MINUTE)
    await stage.log_in("小明", PASSWORD, HERE)


async def test_only_who_knows_the_password_hears_of_a_ban(stage: Stage) -> None:
    await register(stage, "小明")
    await stage.sql("UPDATE users SET banned = 1")
    await fail(stage, "小明", 1)
    with refuses(ErrorCode.BANNED):
        await stage.log_in("小明", PASSWORD, HERE)


async def test_passwords_are_hashed_in_the_file(stage: Stage) -> None:
    await register(stage, "小明")
    await stage.database.vacuum()
    stored = stage.files()
    assert PASSWORD.encode() not in stored
    assert b"$2b$04$" in stored


# The password


async def test_a_new_password_ends_every_other_login(stage: Stage) -> None:
    ming, hong = await register(stage, "小明"), await register(stage, "小红")
    tokens = [await stage.room.sessions.start(user.id, "", HERE) for user in (ming, ming, ming, hong)]
    found = [await stage.room.sessions.find(token) for token in tokens]
    kept = found[1]
    assert kept is not None
    await stage.room.profile.change_password(ming, PASSWORD, OTHER_PASSWORD, kept.id)
    assert stage.told() == [SessionsEnded((found[0].id, found[2].id))]  # type: ignore[union-attr]
    assert [await stage.room.sessions.find(token) is not None for token in tokens] == [False, True, False, True]
    await fail(stage, "小明", 1)
    with refuses(ErrorCode.LOGIN_FAILED):
        await stage.log_in("小明", PASSWORD, HERE)
    assert await stage.log_in("小明", OTHER_PASSWORD, HERE) == ming


async def test_the_old_password_is_asked_for(stage: Stage) -> None:
    ming = await register(stage, "小明")
    with refuses(ErrorCode.LOGIN_FAILED):
        await stage.room.profile.change_password(ming, "not the password", OTHER_PASSWORD, 0)
    with refuses(ErrorCode.PASSWORD_WEAK):
        await stage.room.profile.change_password(ming, PASSWORD, "short", 0)
    await stage.log_in("小明", PASSWORD, HERE)


async def test_the_old_password_cannot_be_guessed_at_leisure_or_all_at_once(stage: Stage) -> None:
    ming = await register(stage, "小明")
    guesses = (stage.room.profile.change_password(ming, f"guess {n}", OTHER_PASSWORD, 0) for n in range(9))
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    codes = [answer.code for answer in answers if isinstance(answer, DomainError)]
    assert (codes.count(ErrorCode.LOGIN_FAILED), codes.count(ErrorCode.LOGIN_THROTTLED)) == (5, 4)
    with refuses(ErrorCode.LOGIN_THROTTLED):
        await stage.room.profile.change_password(ming, PASSWORD, OTHER_PASSWORD, 0)


async def test_strangers_who_guess_at_the_login_keep_no_member_from_changing_the_password(stage: Stage) -> None:
    ming = await register(stage, "小明")
    for number in range(5):
        with refuses(ErrorCode.LOGIN_FAILED):
            await stage.log_in("小明", f"guess {number}", "203.0.113.9")
    with refuses(ErrorCode.LOGIN_THROTTLED):
        await stage.log_in("小明", PASSWORD, HERE)
    await stage.room.profile.change_password(ming, PASSWORD, OTHER_PASSWORD, 0)
    # The correct password does not clear the stranger's failures.
    with refuses(ErrorCode.LOGIN_THROTTLED):
        await stage.log_in("小明", "guess 5", "203.0.113.9")


async def test_wrong_old_passwords_keep_nobody_from_logging_in(stage: Stage) -> None:
    ming = await register(stage, "小明")
    for number in range(5):
        with refuses(ErrorCode.LOGIN_FAILED):
            await stage.room.profile.change_password(ming, f"guess {number}", OTHER_PASSWORD, 0)
    assert await stage.log_in("小明", PASSWORD, HERE) == ming


# The avatar


async def test_a_new_avatar_is_announced_and_the_old_one_erased(stage: Stage) -> None:
    ming = await register(stage, "小明")
    changed = await stage.room.profile.change_avatar(ming, "avatars/one.webp")
    assert (changed.id, changed.name, changed.avatar) == (ming.id, "小明", "avatars/one.webp")
    assert stage.told() == [MemberChanged(changed)]
    again = await stage.room.profile.change_avatar(ming, "avatars/two.webp")
    assert stage.told() == [MemberChanged(again), ContentErased(("avatars/one.webp",))]
    assert (await stage.log_in("小明", PASSWORD, HERE)).avatar == "avatars/two.webp"


async def test_old_messages_show_the_new_avatar(stage: Stage, ming: User) -> None:
    await stage.said(ming)
    await stage.room.profile.change_avatar(ming, "avatars/one.webp")
    assert (await stage.room.history.newest(1)).messages[0].author.avatar == "avatars/one.webp"


# The first administrator


async def test_the_setup_token_works_once(stage: Stage) -> None:
    token = await stage.room.setup.prepare()
    assert await stage.room.setup.is_token(token)
    for wrong in ("", "x", token[:-1], token + "x", "\udcff"):
        assert not await stage.room.setup.is_token(wrong)
        with refuses(ErrorCode.FORBIDDEN):
            await stage.room.setup.set_up(wrong, "老王", PASSWORD)
    wang = await stage.room.setup.set_up(token, "老王", PASSWORD)
    assert wang.is_administrator
    assert not await stage.room.setup.is_token(token)
    with refuses(ErrorCode.FORBIDDEN):
        await stage.room.setup.set_up(token, "阿丽", PASSWORD)
    assert await stage.log_in("老王", PASSWORD, HERE) == wang


async def test_of_two_with_the_setup_token_one_becomes_administrator(stage: Stage) -> None:
    token = await stage.room.setup.prepare()
    both = (stage.room.setup.set_up(token, name, PASSWORD) for name in ("老王", "阿丽"))
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(answer, User) for answer in answers) == 1
    assert await stage.sql("SELECT count(*) FROM users WHERE role = 'administrator'") == [(1,)]


async def test_a_refused_setup_leaves_the_token_good(stage: Stage, ming: User) -> None:
    token = await stage.room.setup.prepare()
    with refuses(ErrorCode.NAME_TAKEN):
        await stage.room.setup.set_up(token, "小明", PASSWORD)
    with refuses(ErrorCode.PASSWORD_WEAK):
        await stage.room.setup.set_up(token, "老王", "short")
    assert (await stage.room.setup.set_up(token, "管理员", PASSWORD)).name == "管理员"


async def test_there_is_no_setup_where_there_is_an_administrator(tmp_path: Path) -> None:
    clock = FakeClock()
    async with staged(tmp_path, clock) as stage:
        await stage.join("老王", Role.ADMINISTRATOR)
    async with staged(tmp_path, clock) as stage:
        assert await stage.room.setup.prepare() == ""
        assert not await stage.room.setup.is_token("")


async def test_every_start_without_an_administrator_has_a_token_of_its_own(stage: Stage) -> None:
    assert await stage.room.setup.prepare() != await stage.room.setup.prepare()


# The operator's commands


async def test_the_operator_makes_a_new_administrator(stage: Stage) -> None:
    token = await stage.room.setup.prepare()
    assert await stage.room.setup.is_token(token)
    user, is_new = await stage.room.administrators.make_administrator("老王", PASSWORD)
    assert (user.name, user.role, is_new) == ("老王", Role.ADMINISTRATOR, True)
    assert not await stage.room.setup.is_token(token)
    assert await stage.log_in("老王", PASSWORD, HERE) == user


async def test_the_operator_raises_a_member_who_keeps_password_and_logins(stage: Stage) -> None:
    ming = await register(stage, "小明")
    token = await stage.room.sessions.start(ming.id, "", HERE)
    await stage.room.sessions.find(token)
    user, is_new = await stage.room.administrators.make_administrator("小明", None)
    assert (user.id, user.role, is_new) == (ming.id, Role.ADMINISTRATOR, False)
    assert stage.told() == [MemberChanged(user)]
    session = await stage.room.sessions.find(token)
    assert session is not None and session.user.is_administrator
    assert (await stage.log_in("小明", PASSWORD, HERE)).is_administrator


async def test_the_operator_can_set_a_members_password_which_ends_their_logins(stage: Stage) -> None:
    ming = await register(stage, "小明")
    token = await stage.room.sessions.start(ming.id, "", HERE)
    await stage.room.administrators.make_administrator("小明", OTHER_PASSWORD)
    assert await stage.room.sessions.find(token) is None
    await stage.log_in("小明", OTHER_PASSWORD, HERE)


@pytest.mark.parametrize("password", [None, "short"])
async def test_a_new_administrator_needs_a_password(stage: Stage, password: str | None) -> None:
    with refuses(ErrorCode.PASSWORD_WEAK):
        await stage.room.administrators.make_administrator("老王", password)
    assert await stage.sql("SELECT count(*) FROM users") == [(0,)]


async def test_the_operator_must_write_a_members_name_as_it_is(stage: Stage) -> None:
    await register(stage, "Anna")
    with refuses(ErrorCode.NAME_TAKEN) as refusal:
        await stage.room.administrators.make_administrator("anna", None)
    assert refusal.details == {"name": "Anna"}
