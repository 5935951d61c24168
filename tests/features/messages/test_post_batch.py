"""Texts that wait together are stored together, with the same results as one after the other."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.features.messages.post import Draft, MessagePosted, Posted
from tests.stage import Stage, refuses, staged
from tests.support import FakeClock

Answered = list[Posted | BaseException]


async def submit(stage: Stage, *requests: tuple[User, Draft]) -> Answered:
    """Queue all of them before the writer wakes up."""
    loop = asyncio.get_running_loop()
    answers = [loop.create_future() for _ in requests]
    for number, (author, draft) in enumerate(requests):

        def answer(posted: Posted | None, error: BaseException | None, number: int = number) -> None:
            answers[number].set_result(posted or error)

        stage.room.post.submit(author, draft, answer)
    return await asyncio.gather(*answers)


def said(answered: Answered) -> list[Any]:
    """The answer to each sender: (id, seq, is_new, text), or the error code."""
    return [
        (each.message.id, each.seq, each.is_new, each.message.text)
        if isinstance(each, Posted)
        else each.code
        if isinstance(each, DomainError)
        else each
        for each in answered
    ]


async def test_neighbours_are_numbered_in_their_order(stage: Stage, ming: User, hong: User, wang: User) -> None:
    answered = await submit(stage, (ming, Draft("一", "a")), (hong, Draft("二")), (wang, Draft("三", "c", 1)))
    assert said(answered) == [(1, 1, True, "一"), (2, 2, True, "二"), (3, 3, True, "三")]
    assert await stage.sql("SELECT id, seq, posted_seq, user_id, text, kind, reply_to, client_id FROM messages") == [
        (1, 1, 1, ming.id, "一", "text", None, "a"),
        (2, 2, 2, hong.id, "二", "text", None, ""),
        (3, 3, 3, wang.id, "三", "text", 1, "c"),
    ]
    posted = [event for event in stage.events if isinstance(event, MessagePosted)]
    assert [event.message for event in posted] == [each.message for each in answered if isinstance(each, Posted)]


@pytest.mark.parametrize("count", [1, 2, 3, 63, 64, 65, 127, 200])
async def test_any_number_of_neighbours(stage: Stage, wang: User, count: int) -> None:
    stage.set(history_limit=500)
    answered = await submit(stage, *((wang, Draft(f"{number}", f"c{number}")) for number in range(count)))
    assert said(answered) == [(number + 1, number + 1, True, f"{number}") for number in range(count)]
    stored = await stage.sql("SELECT id, seq, text FROM messages ORDER BY id")
    assert stored == [(number + 1, number + 1, f"{number}") for number in range(count)]


async def test_what_is_refused_keeps_nobody_else_from_being_heard(stage: Stage, ming: User, hong: User) -> None:
    answered = await submit(stage, (ming, Draft("一")), (ming, Draft("二")), (hong, Draft("")), (hong, Draft("三")))
    assert said(answered) == [(1, 1, True, "一"), ErrorCode.TOO_FAST, ErrorCode.EMPTY, (2, 2, True, "三")]


async def test_one_that_is_there_already_is_answered_so_among_others(stage: Stage, ming: User, hong: User) -> None:
    before = await stage.said(ming, "一", client_id="a")
    answered = await submit(stage, (hong, Draft("二")), (ming, Draft("一", "a")), (hong, Draft("三")))
    assert said(answered) == [(2, 2, True, "二"), (before.id, before.seq, False, "一"), ErrorCode.TOO_FAST]


async def test_the_same_from_two_sockets_at_once_is_stored_once(stage: Stage, ming: User, wang: User) -> None:
    for author in (ming, wang):  # one member has to wait between two messages, the other has not
        stage.clock.forward(10)
        answered = await submit(stage, *[(author, Draft("一", "a"))] * 3, (author, Draft("一", "a", 99)))
        assert len({each.message.id for each in answered if isinstance(each, Posted)}) == 1
        assert [each.is_new for each in answered if isinstance(each, Posted)] == [True, False, False, False]
    assert await stage.sql("SELECT count(*) FROM messages") == [(2,)]


async def test_what_the_disk_did_not_take_uses_up_no_interval(stage: Stage, ming: User, hong: User) -> None:
    stage.set(text_max=1_000_000)
    await stage.database.between_batches(lambda raw: raw.execute("PRAGMA max_page_count = 1"))
    long = "x" * 500_000
    assert said(await submit(stage, (ming, Draft(long)), (hong, Draft(long)))) == [ErrorCode.STORAGE_FULL] * 2
    await stage.database.between_batches(lambda raw: raw.execute("PRAGMA max_page_count = 100000"))
    answered = await submit(stage, (ming, Draft("一")), (hong, Draft("二")))
    assert said(answered) == [(1, 1, True, "一"), (2, 2, True, "二")]
    with refuses(ErrorCode.TOO_FAST):
        await stage.say(ming)


@pytest.mark.parametrize("seed", range(30))
async def test_it_is_as_if_each_had_come_by_itself(tmp_path: Path, seed: int) -> None:
    """Two rooms get the same requests: one room all together, the other one after the other."""
    chance = random.Random(seed)
    batches = [[_wish(chance) for _ in range(chance.choice((2, 5, 40)))] for _ in range(6)]
    heard: list[list[Any]] = []
    kept: list[list[Any]] = []
    for together in (True, False):
        room = tmp_path / ("together" if together else "alone")
        room.mkdir()
        async with staged(room, FakeClock(), history_limit=30) as stage:
            cast = [await stage.join("小明"), await stage.join("小红"), await stage.join("老王", Role.ADMINISTRATOR)]
            cast.append(User(99, "nobody", Role.MEMBER))
            await stage.sql("UPDATE users SET muted_until_ms = ? WHERE id = 2", stage.clock.now_ms() + 5_000)
            answers: list[Any] = []
            for batch in batches:
                requests = [(cast[who], draft) for who, draft in batch]
                if together:
                    answers += said(await submit(stage, *requests))
                else:
                    answers += [each for request in requests for each in said(await submit(stage, request))]
                stage.clock.forward(1.5)
            heard.append(answers)
            kept.append(await stage.sql("SELECT id, seq, user_id, text, reply_to, client_id FROM messages ORDER BY id"))
    # The first room erased these messages at the end of the batch, the other room message by message.
    assert heard[0] == heard[1]
    assert kept[0] == kept[1]
    assert {type(each) for each in heard[0]} == {tuple, ErrorCode}


def _wish(chance: random.Random) -> tuple[int, Draft]:
    """The requests of four members, one of whom is muted for a while and one does not exist."""
    text = chance.choice(("你好", "hello", "", "x" * 3000, "half \ud83d"))
    client_id = chance.choice(("", "a", "b", "c", f"{chance.random()}", f"{chance.random()}"))
    return chance.choice((0, 0, 1, 2, 2, 2, 3)), Draft(text, client_id, chance.choice((None, None, 1, 7, 1000)))
