"""Sessions: found by their token, cached without a query, and invalid once they have ended."""

from __future__ import annotations

import asyncio
import hashlib

import pytest

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.model import Session, User
from chatserver.features.accounts.events import SessionsEnded
from tests.stage import Stage

HOUR, DAY = 3600, 86_400


async def log_in(stage: Stage, user: User) -> tuple[str, Session]:
    token = await stage.room.sessions.start(user.id, "Firefox", "192.0.2.1")
    session = await stage.room.sessions.find(token)
    assert session is not None
    return token, session


async def test_a_token_finds_its_login(stage: Stage, ming: User) -> None:
    _, session = await log_in(stage, ming)
    assert (session.user, session.agent, session.address) == (ming, "Firefox", "192.0.2.1")
    assert session.expires_ms == stage.clock.now_ms() + 90 * DAY * 1000


@pytest.mark.parametrize("token", ["", "nonsense", "\udcff", "x" * 100_000])
async def test_another_token_finds_nothing(stage: Stage, ming: User, token: str) -> None:
    await log_in(stage, ming)
    assert await stage.room.sessions.find(token) is None


async def test_only_a_hash_of_the_token_is_in_the_files(stage: Stage, ming: User) -> None:
    token, _ = await log_in(stage, ming)
    stored = stage.files()
    assert hashlib.sha256(token.encode()).digest() in stored
    assert token.encode() not in stored


async def test_a_known_login_costs_no_query(stage: Stage, ming: User, monkeypatch: pytest.MonkeyPatch) -> None:
    token, session = await log_in(stage, ming)
    monkeypatch.setattr(stage.database, "run", None)
    assert await stage.room.sessions.find(token) == session


async def test_an_ended_login_is_worth_nothing_though_it_was_known(stage: Stage, ming: User) -> None:
    token, session = await log_in(stage, ming)
    other, _ = await log_in(stage, ming)
    stage.told()
    await stage.room.sessions.end(ming, session.id)
    assert stage.told() == [SessionsEnded((session.id,))]
    assert await stage.room.sessions.find(token) is None
    assert await stage.room.sessions.find(other) is not None
    await stage.room.sessions.end(ming, session.id)
    assert stage.told() == []


async def test_a_login_that_ends_in_the_batch_that_finds_it_is_worth_nothing(stage: Stage, ming: User) -> None:
    token = await stage.room.sessions.start(ming.id, "", "")
    found, _ = await asyncio.gather(stage.room.sessions.find(token), stage.room.sessions.end(ming, 1))
    assert found is None
    assert await stage.room.sessions.find(token) is None


async def test_a_login_that_ends_in_the_batch_that_touches_it_is_worth_nothing(stage: Stage, ming: User) -> None:
    token, session = await log_in(stage, ming)
    stage.clock.forward(HOUR)
    await asyncio.gather(stage.room.sessions.find(token), stage.room.sessions.end(ming, session.id))
    assert await stage.room.sessions.find(token) is None


async def test_a_member_who_changes_in_the_batch_that_finds_the_login_is_seen_as_changed(
    stage: Stage, ming: User
) -> None:
    token = await stage.room.sessions.start(ming.id, "", "")
    await asyncio.gather(stage.room.sessions.find(token), stage.room.profile.change_avatar(ming, "avatars/new.webp"))
    session = await stage.room.sessions.find(token)
    assert session is not None and session.user.avatar == "avatars/new.webp"


async def test_nobody_ends_anothers_login(stage: Stage, ming: User, hong: User) -> None:
    token, session = await log_in(stage, ming)
    stage.told()
    await stage.room.sessions.end(hong, session.id)
    assert stage.told() == []
    assert await stage.room.sessions.find(token) is not None


async def test_a_login_expires(stage: Stage, ming: User) -> None:
    token, session = await log_in(stage, ming)
    assert await stage.room.sessions.next_expiry() == session.expires_ms
    stage.clock.set_wall(session.expires_ms)
    assert await stage.room.sessions.find(token) is None
    stage.told()
    await stage.room.sessions.expire()
    assert stage.told() == [SessionsEnded((session.id,))]
    assert await stage.sql("SELECT * FROM sessions") == []
    assert await stage.room.sessions.next_expiry() is None


async def test_an_expired_login_is_not_found_in_the_file_either(stage: Stage, ming: User) -> None:
    token = await stage.room.sessions.start(ming.id, "", "")
    stage.clock.forward(90 * DAY)
    assert await stage.room.sessions.find(token) is None


async def test_a_login_in_use_lives_on_and_is_written_once_an_hour(stage: Stage, ming: User) -> None:
    token, first = await log_in(stage, ming)
    stage.clock.forward(HOUR - 1)
    assert await stage.room.sessions.find(token) == first
    stage.clock.forward(1)
    touched = await stage.room.sessions.find(token)
    assert touched is not None
    assert touched.seen_ms == stage.clock.now_ms()
    assert touched.expires_ms == stage.clock.now_ms() + 90 * DAY * 1000
    commits = len(stage.database.committed)
    stage.clock.forward(HOUR - 1)
    assert await stage.room.sessions.find(token) == touched
    assert len(stage.database.committed) == commits


async def test_a_banned_members_token_opens_nothing(stage: Stage, ming: User) -> None:
    token = await stage.room.sessions.start(ming.id, "", "")
    await stage.sql("UPDATE users SET banned = 1 WHERE id = ?", ming.id)
    assert await stage.room.sessions.find(token) is None


async def test_a_members_logins_are_listed_the_last_seen_first(stage: Stage, ming: User, hong: User) -> None:
    token, first = await log_in(stage, ming)
    stage.clock.forward(10)
    _, second = await log_in(stage, ming)
    await log_in(stage, hong)
    assert [session.id for session in await stage.room.sessions.of_user(ming)] == [second.id, first.id]
    stage.clock.forward(HOUR)
    await stage.room.sessions.find(token)
    assert [session.id for session in await stage.room.sessions.of_user(ming)] == [first.id, second.id]


async def test_what_is_known_is_bounded(stage: Stage, ming: User) -> None:
    stage.room.sessions._cache = BoundedDict(3)
    logins = [await log_in(stage, ming) for _ in range(5)]
    assert len(stage.room.sessions._cache) == 3
    assert [await stage.room.sessions.find(token) for token, _ in logins] == [session for _, session in logins]


async def test_a_member_has_twenty_logins_and_the_oldest_ends_first(stage: Stage, ming: User, hong: User) -> None:
    other = await stage.room.sessions.start(hong.id, "", "")
    tokens = [await stage.room.sessions.start(ming.id, f"device {n}", "") for n in range(22)]
    found = [await stage.room.sessions.find(token) is not None for token in tokens]
    assert found == [False, False, *[True] * 20]
    assert await stage.room.sessions.find(other) is not None
    assert [len(event.session_ids) for event in stage.told(SessionsEnded)] == [1, 1]
