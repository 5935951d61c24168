"""Orders that wait together are stored together, with the same results as one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.features.messages.post import MessagePosted
from chatserver.features.ordering import journal, offer
from chatserver.features.ordering.place import Placed
from tests.stage import Stage

Answered = list[Placed | BaseException]


async def opened_with(stage: Stage, wang: User, **item: str) -> None:
    await stage.room.windows.start(wang, offered=offer.read({"items": [{"name": "蓝莓", **item}], "seconds": 60}))


async def submit(stage: Stage, *requests: tuple[User, str, str]) -> Answered:
    """Queue orders of (member, quantity, client_id), all of them before the writer wakes up."""
    loop = asyncio.get_running_loop()
    answers = [loop.create_future() for _ in requests]
    for number, (author, quantity, client_id) in enumerate(requests):

        def answer(placed: Placed | None, error: BaseException | None, number: int = number) -> None:
            answers[number].set_result(placed or error)

        lines = [{"item": 1, "quantity": quantity}]
        request = stage.room.place_order._request(author, lines, f"备注{number}", client_id, None)
        stage.room.place_order.submit(request, answer)
    return await asyncio.gather(*answers)


def said(answered: Answered) -> list[Any]:
    """The answer to each member: (number, id, is_new), or the error code."""
    return [
        (each.order.no, each.order.id, each.is_new)
        if isinstance(each, Placed)
        else each.code
        if isinstance(each, DomainError)
        else each
        for each in answered
    ]


async def heads(stage: Stage) -> list[str]:
    """The heads of the journal, which must be correct."""
    entries = await stage.run(lambda tx: journal.entries(tx, 1))
    assert journal.first_wrong(entries) is None
    [(count, head)] = await stage.sql("SELECT entries, head FROM windows")
    assert (count, head) == (len(entries), entries[-1].head)
    return [entry.head.hex() for entry in entries]


@pytest.mark.parametrize("count", [1, 2, 3, 64, 65, 130])
async def test_neighbours_are_numbered_in_their_order(stage: Stage, wang: User, count: int) -> None:
    stage.set(history_limit=500)
    members = [await stage.join(f"邻居{n}") for n in range(count)]
    await opened_with(stage, wang)
    stage.told()
    answered = await submit(stage, *((member, "1", f"c{n}") for n, member in enumerate(members)))
    assert said(answered) == [(n + 1, n + 2, True) for n in range(count)]
    orders = [each.order for each in answered if isinstance(each, Placed)]
    assert [order.receipt.hex() for order in orders] == (await heads(stage))[1:]
    rows = await stage.sql("SELECT message_id, no, user_id, note, posted_seq, receipt FROM orders ORDER BY no")
    assert rows == [(o.id, o.no, o.user_id, o.note, o.posted_seq, o.receipt) for o in orders]
    posted = [event.message for event in stage.events if isinstance(event, MessagePosted)]
    assert posted == [each.message for each in answered if isinstance(each, Placed)]
    assert await stage.sql("SELECT orders, members, last_no FROM windows") == [(count, count, count)]
    assert await stage.sql("SELECT ordered FROM items") == [(count * 100,)]


async def test_stock_runs_out_between_neighbours(stage: Stage, wang: User) -> None:
    members = [await stage.join(f"邻居{n}") for n in range(5)]
    await opened_with(stage, wang, stock="4")
    answered = await submit(stage, *((member, quantity, "") for member, quantity in zip(members, "22131", strict=True)))
    assert said(answered) == [(1, 2, True), (2, 3, True), *[ErrorCode.SOLD_OUT] * 3]
    assert [each.details["left"] for each in answered if isinstance(each, DomainError)] == ["0"] * 3
    assert len(await heads(stage)) == 3


async def test_a_limit_counts_what_the_neighbours_of_one_member_order(stage: Stage, wang: User, ming: User) -> None:
    await opened_with(stage, wang, limit="3")
    answered = await submit(stage, (ming, "2", ""), (ming, "2", ""), (ming, "1", ""))
    assert said(answered) == [(1, 2, True), ErrorCode.OVER_LIMIT, (2, 3, True)]


async def test_the_same_from_two_sockets_at_once_is_stored_once(stage: Stage, wang: User, ming: User) -> None:
    hong = await stage.join("小红")
    await opened_with(stage, wang, limit="3")
    answered = await submit(stage, (ming, "2", "a"), (hong, "1", "a"), (ming, "2", "a"), (ming, "1", "a"))
    assert said(answered) == [(1, 2, True), (2, 3, True), (1, 2, False), (1, 2, False)]
    assert len(await heads(stage)) == 3
    assert await stage.sql("SELECT orders, last_no FROM windows") == [(2, 2)]
    again = await submit(stage, (hong, "1", ""), (ming, "3", "a"))
    assert said(again) == [(3, 4, True), (1, 2, False)]


async def test_what_was_placed_before_is_answered_so_after_the_end(stage: Stage, wang: User, ming: User) -> None:
    hong = await stage.join("小红")
    await opened_with(stage, wang)
    await submit(stage, (ming, "2", "a"))
    await stage.room.windows.stop(wang)
    answered = await submit(stage, (hong, "1", "b"), (ming, "2", "a"))
    assert said(answered) == [ErrorCode.WINDOW_CLOSED, (1, 2, False)]


async def test_client_ids_of_a_closed_window_are_known_in_the_next(stage: Stage, wang: User, ming: User) -> None:
    hong = await stage.join("小红")
    await opened_with(stage, wang)
    await submit(stage, (ming, "2", "a"), (hong, "1", "b"))
    await stage.room.windows.stop(wang)
    await opened_with(stage, wang)
    answered = await submit(stage, (ming, "5", "a"), (hong, "5", "a"), (hong, "5", "b"), (ming, "5", "c"))
    assert said(answered) == [(1, 2, False), (1, 6, True), (2, 3, False), (2, 7, True)]
    assert await stage.sql("SELECT orders, last_no FROM windows") == [(2, 2), (2, 2)]
    again = await submit(stage, (ming, "5", "c"), (hong, "5", "a"), (ming, "1", "a"))
    assert said(again) == [(2, 7, False), (1, 6, False), (1, 2, False)]
