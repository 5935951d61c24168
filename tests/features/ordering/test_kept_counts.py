"""The counts of one batch serve the next batch. Every other change of the ledger between them is noticed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatserver.core import tuning
from chatserver.core.errors import ErrorCode
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import journal, offer
from tests.orders import lines
from tests.stage import Stage, refuses

QUERY_OF_ORDERS = "FROM orders"


@asynccontextmanager
async def queries(stage: Stage) -> AsyncIterator[list[str]]:
    """The statements that the database runs during the block."""
    statements: list[str] = []
    raw = stage.database._raw
    raw.set_trace_callback(statements.append)
    try:
        yield statements
    finally:
        raw.set_trace_callback(None)


async def opened(stage: Stage, wang: User, **item: str) -> None:
    items = {"items": [{"name": "蓝莓", **item}], "seconds": 600}
    await stage.room.windows.start(wang, offered=offer.read(items))


async def order(stage: Stage, member: User, quantity: str) -> int:
    return (await stage.room.place_order.place(member, lines(i1=quantity))).order.id


@pytest.mark.parametrize(("switch", "reads"), [("on", 0), ("off", 1)])
async def test_the_orders_of_a_member_are_read_once(
    stage: Stage, wang: User, ming: User, switch: str, reads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "ENABLED", switch == "on")
    await opened(stage, wang, limit="5", stock="50")
    await order(stage, ming, "1")
    async with queries(stage) as statements:
        await order(stage, ming, "2")
    assert len([each for each in statements if QUERY_OF_ORDERS in each]) == reads
    with refuses(ErrorCode.OVER_LIMIT) as caught:
        await order(stage, ming, "3")
    assert caught.details["have"] == "3"
    assert await stage.sql("SELECT ordered FROM items") == [(300,)]
    assert await stage.sql("SELECT orders, members FROM windows") == [(2, 1)]


async def test_a_refused_order_counts_nothing(stage: Stage, wang: User, ming: User) -> None:
    await opened(stage, wang, limit="5")
    await order(stage, ming, "3")
    with refuses(ErrorCode.OVER_LIMIT):
        await order(stage, ming, "3")
    async with queries(stage) as statements:
        await order(stage, ming, "2")
    assert not [each for each in statements if QUERY_OF_ORDERS in each]


async def test_a_withdrawal_and_a_change_are_seen(stage: Stage, wang: User, ming: User) -> None:
    await opened(stage, wang, limit="5", stock="5")
    first = await order(stage, ming, "5")
    await stage.room.recall.recall(ming, first)
    second = await order(stage, ming, "4")
    await stage.room.change_order.change(ming, second, lines(i1="1"))
    await order(stage, ming, "4")
    hong = await stage.join("小红")
    with refuses(ErrorCode.SOLD_OUT):
        await order(stage, hong, "1")


async def test_a_transaction_that_was_rolled_back_leaves_no_count(stage: Stage, wang: User, ming: User) -> None:
    await opened(stage, wang, limit="5")
    place = stage.room.place_order
    request = place._request(ming, lines(i1="4"), "", "", None)

    def fail(tx: Transaction) -> None:
        place._place_batch(tx, [request])
        raise ValueError("after the order")

    await order(stage, ming, "1")
    with pytest.raises(ValueError, match="after the order"):
        await stage.run(fail)
    await order(stage, ming, "4")
    assert await stage.sql("SELECT ordered FROM items") == [(500,)]
    assert await stage.sql("SELECT orders, members, last_no FROM windows") == [(2, 1, 2)]


async def test_another_window_begins_with_no_orders(stage: Stage, wang: User, ming: User) -> None:
    await opened(stage, wang, limit="5", stock="5")
    await order(stage, ming, "5")
    await stage.room.windows.stop(wang)
    await opened(stage, wang, limit="5", stock="5")
    await order(stage, ming, "5")
    assert await stage.sql("SELECT ordered FROM items ORDER BY window_id") == [(500,), (500,)]


async def test_each_entry_has_a_salt_of_its_own(stage: Stage, wang: User, ming: User) -> None:
    assert len({*journal.salts(50)}) == 50
    assert {len(salt) for salt in journal.salts(3)} == {journal.SALT_BYTES}
    await opened(stage, wang)
    for _ in range(3):
        await order(stage, ming, "1")
    entries = await stage.run(lambda tx: journal.entries(tx, 1))
    assert len({entry.salt for entry in entries}) == len(entries) == 4
