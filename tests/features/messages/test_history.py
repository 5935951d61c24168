"""Which messages are kept, for how long, and how older messages are read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chatserver.core.events import ContentErased
from chatserver.core.model import Page, State, User
from chatserver.db.transaction import TransactionFunction
from chatserver.features.messages import search as search_module
from chatserver.features.messages.expiry import MessagesExpired
from chatserver.features.messages.search import Query
from tests.client import House, opened
from tests.stage import PICTURE, Stage
from tests.support import eventually


def words(text: str) -> Query:
    return Query.of(text, "", None, ZoneInfo("UTC"))


EVERYTHING = 2**63 - 1


def texts(page: Page) -> list[str]:
    return [message.text for message in page.messages]


def ids(page: Page) -> list[int]:
    return [message.id for message in page.messages]


# By count


async def test_the_newest_are_kept_and_the_oldest_expire_in_the_same_commit(stage: Stage, ming: User) -> None:
    stage.set(history_limit=3)
    for number in range(1, 6):
        await stage.said(ming, str(number))
    page = await stage.room.history.newest(50)
    assert (ids(page), page.first_id) == ([3, 4, 5], 3)
    assert await stage.sql("SELECT id FROM messages ORDER BY id") == [(3,), (4,), (5,)]
    expired = stage.told(MessagesExpired)
    assert expired == [MessagesExpired((1,), 2), MessagesExpired((2,), 3)]


async def test_a_reader_hears_of_the_new_message_before_the_old_one_expires(stage: Stage, ming: User) -> None:
    stage.set(history_limit=1)
    await stage.said(ming)
    await stage.said(ming)
    assert stage.happened() == ["MessagePosted", "MessagePosted", "MessagesExpired"]


async def test_recalled_messages_count_and_deleted_ones_do_not(stage: Stage, ming: User) -> None:
    stage.set(history_limit=3)
    for number in range(1, 4):
        await stage.said(ming, str(number))
    await stage.room.recall.recall(ming, 2)
    await stage.room.delete.delete(ming, 3)
    await stage.said(ming, "4")
    page = await stage.room.history.newest(50)
    assert (ids(page), page.first_id) == ([1, 2, 4], 1)
    await stage.said(ming, "5")
    page = await stage.room.history.newest(50)
    assert (ids(page), page.first_id) == ([2, 4, 5], 2)


async def test_a_deleted_row_waits_for_the_history_to_fill_up_again(stage: Stage, ming: User) -> None:
    stage.set(history_limit=2)
    await stage.said(ming)
    await stage.said(ming)
    await stage.room.delete.delete(ming, 1)
    await stage.room.delete.delete(ming, 2)
    await stage.said(ming)
    assert stage.told(MessagesExpired) == []
    await stage.said(ming)
    assert stage.told(MessagesExpired) == [MessagesExpired((1, 2), 3)]


async def test_deleting_lets_no_expired_message_come_back(stage: Stage, ming: User) -> None:
    stage.set(history_limit=2)
    for _ in range(3):
        await stage.said(ming)
    await stage.room.delete.delete(ming, 3)
    assert ids(await stage.room.history.newest(50)) == [2]


async def test_a_smaller_limit_holds_from_the_next_change_on(stage: Stage, ming: User) -> None:
    for _ in range(5):
        await stage.said(ming)
    stage.set(history_limit=2)
    await stage.said(ming)
    assert stage.told(MessagesExpired) == [MessagesExpired((1, 2, 3, 4), 5)]


async def test_no_list_is_longer_than_the_limit_even_within_a_batch(stage: Stage, wang: User) -> None:
    stage.set(history_limit=2)
    *_, page = await asyncio.gather(*(stage.say(wang) for _ in range(10)), stage.room.history.newest(50))
    assert len((await stage.room.history.newest(50)).messages) == 2
    assert len(page.messages) <= 2


# By age


async def test_a_message_expires_at_its_age_and_not_before(stage: Stage, ming: User) -> None:
    first = await stage.said(ming)
    stage.clock.forward(3600)
    await stage.said(ming)
    due = first.created_ms + 24 * 3_600_000
    assert await stage.room.expiry.next_expiry() == due
    stage.told()
    stage.clock.forward((due - 1 - stage.clock.now_ms()) / 1000)
    await stage.room.expiry.expire()
    assert stage.told() == []
    stage.clock.forward(0.001)
    await stage.room.expiry.expire()
    assert stage.told() == [MessagesExpired((1,), 2), ContentErased(())]
    assert ids(await stage.room.history.newest(50)) == [2]


async def test_an_empty_room_has_nothing_to_expire(stage: Stage, ming: User) -> None:
    assert await stage.room.expiry.next_expiry() is None
    await stage.said(ming)
    stage.clock.forward(25 * 3600)
    await stage.room.expiry.expire()
    page = await stage.room.history.newest(50)
    assert (ids(page), page.first_id) == ([], 2)
    assert await stage.room.expiry.next_expiry() is None


async def test_deleted_and_recalled_rows_expire_by_age_too(stage: Stage, ming: User) -> None:
    for _ in range(3):
        await stage.said(ming)
    await stage.room.recall.recall(ming, 1)
    await stage.room.delete.delete(ming, 2)
    stage.told()
    stage.clock.forward(24 * 3600)
    await stage.room.expiry.expire()
    assert stage.told(MessagesExpired) == [MessagesExpired((1, 2, 3), 4)]


async def test_a_clock_that_was_set_back_expires_the_oldest_ids_first(stage: Stage, ming: User) -> None:
    ahead = await stage.said(ming)
    stage.clock.set_wall(ahead.created_ms - 3_600_000)
    await stage.said(ming)
    stage.clock.forward(24 * 3600)
    stage.told()
    await stage.room.expiry.expire()
    assert stage.told(MessagesExpired) == [MessagesExpired((1, 2), 3)]


async def test_the_files_of_what_expired_are_named(stage: Stage, ming: User) -> None:
    stage.set(history_limit=1)
    await stage.said(ming, picture=PICTURE)
    stage.told()
    await stage.said(ming)
    assert stage.told(ContentErased) == [ContentErased((PICTURE.image, PICTURE.thumb))]


# Reading older messages


async def test_the_newest_are_told_oldest_first_without_deleted_ones(stage: Stage, ming: User) -> None:
    for number in range(1, 6):
        await stage.said(ming, str(number))
    await stage.room.recall.recall(ming, 4)
    await stage.room.delete.delete(ming, 5)
    page = await stage.room.history.newest(3)
    assert ids(page) == [2, 3, 4]
    assert page.messages[-1].state is State.RECALLED
    assert (page.seq, page.first_id) == (7, 1)
    assert page.epoch
    assert ids(await stage.room.history.newest(0)) == []


async def test_the_page_before_an_id(stage: Stage, ming: User) -> None:
    for number in range(1, 8):
        await stage.said(ming, str(number))
    await stage.room.delete.delete(ming, 4)
    assert ids(await stage.room.history.older(6, 3)) == [2, 3, 5]
    assert ids(await stage.room.history.older(2, 100)) == [1]
    assert ids(await stage.room.history.older(1, 100)) == []
    assert ids(await stage.room.history.older(EVERYTHING, 2)) == [6, 7]


# Searching


@pytest.fixture
async def talk(stage: Stage, ming: User) -> None:
    for text in (
        "今天吃什么",
        "吃面吧",
        "Hello World",
        "hello, 世界",
        "STRASSE Straße",
        "100% _sure_ \\ 'quote",
    ):
        await stage.said(ming, text)


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("吃", [1, 2]),
        ("吃面", [2]),
        ("什么", [1]),
        ("HELLO", [3, 4]),
        ("hello 世", [4]),
        ("世界 HELLO", [4]),
        ("hello 吃", []),
        ("ello", [3, 4]),
        ("straße", [5]),
        ("%", [6]),
        ("_", [6]),
        ("\\ '", [6]),
        ("", []),
        ("  ", []),
        ("没有", []),
    ],
)
async def test_searching_finds_every_word_in_any_case_and_of_any_length(
    stage: Stage, query: str, found: list[int]
) -> None:
    assert ids(await stage.room.search.search(words(query), EVERYTHING, 100)) == found


@pytest.mark.parametrize("typed", ["Cafe\u0301", "Café", "CAFÉ", "ｃａｆé"])
async def test_searching_finds_what_reads_the_same_however_it_was_typed(stage: Stage, ming: User, typed: str) -> None:
    for text in ("Café", "Cafe\u0301", "cafe"):
        await stage.said(ming, text)
    assert ids(await stage.room.search.search(words(typed), EVERYTHING, 100)) == [1, 2]


@pytest.mark.usefixtures("talk")
async def test_what_was_recalled_or_deleted_is_not_found(stage: Stage, ming: User) -> None:
    await stage.room.delete.delete(ming, 1)
    assert ids(await stage.room.search.search(words("吃"), EVERYTHING, 100)) == [2]
    await stage.sql("UPDATE messages SET recall_until_ms = recall_until_ms + 60000")
    await stage.room.recall.recall(ming, 2)
    assert ids(await stage.room.search.search(words("吃"), EVERYTHING, 100)) == []


async def test_a_search_goes_on_from_an_id_and_stops_at_its_limit(stage: Stage, ming: User) -> None:
    for _ in range(6):
        await stage.said(ming, "面")
    assert ids(await stage.room.search.search(words("面"), EVERYTHING, 2)) == [5, 6]
    assert ids(await stage.room.search.search(words("面"), 5, 2)) == [3, 4]
    assert ids(await stage.room.search.search(words("面"), 1, 2)) == []


@pytest.mark.parametrize("rows", [1, 2, 3, 100])
async def test_a_search_in_parts_finds_the_same(
    stage: Stage, ming: User, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    for number in range(6):
        await stage.said(ming, "面" if number % 2 else "饭")
    monkeypatch.setattr(search_module, "SEARCH_ROWS", rows)
    assert ids(await stage.room.search.search(words("面"), EVERYTHING, 100)) == [2, 4, 6]


async def test_what_is_recalled_between_the_parts_of_a_search_is_not_shown(
    stage: Stage, ming: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        await stage.said(ming, "面")
    run, parts = stage.database.run, 0

    async def run_and_then_recall(unit: TransactionFunction[Any]) -> Any:
        nonlocal parts
        found = await run(unit)
        parts += 1
        if parts == 2:
            monkeypatch.setattr(stage.database, "run", run)
            await stage.room.recall.recall(ming, 4)
        return found

    monkeypatch.setattr(search_module, "SEARCH_ROWS", 1)
    monkeypatch.setattr(stage.database, "run", run_and_then_recall)
    assert ids(await stage.room.search.search(words("面"), EVERYTHING, 100)) == [1, 2, 3]


async def test_one_answer_has_at_most_a_thousand_messages(tmp_path: Path) -> None:
    async with opened(tmp_path, history_limit=5000) as house:
        ming = await house.member("小明")
        first = await ming.say("第一条")
        copies = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
        columns = "seq, posted_seq, kind, user_id, text, created_ms, recall_until_ms"
        await house.server.room.database.run(
            lambda tx: (
                tx.execute(
                    f"INSERT INTO messages ({columns}) {copies} SELECT m.seq + i, m.seq + i, kind, user_id,"
                    " text, created_ms, recall_until_ms FROM n, messages m WHERE m.id = ?",
                    (first["id"],),
                )
                and None
            )
        )
        await house.server.room.recent.load(house.server.room.database)
        for count, told in ((999, 999), (1000, 1000), (1001, 1000), (10**8, 1000)):
            answer = await ming.get(f"/api/recent_messages_apiint/{count}")
            assert len(answer.json["messages"]) == told


async def test_searches_at_once_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ming = await house.member("小明")
    await ming.say("草莓")
    going, search = asyncio.Event(), house.server.room.search.search

    async def slow(*arguments: Any) -> Any:
        await going.wait()
        return await search(*arguments)

    monkeypatch.setattr(house.server.room.search, "search", slow)
    asked = [asyncio.ensure_future(ming.get("/api/messages/?q=草莓")) for _ in range(6)]
    await eventually(lambda: sum(task.done() for task in asked) == 2)
    going.set()
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200] * 4 + [503] * 2
    assert (await ming.get("/api/messages/?q=草莓")).status == 200
