"""Client keys of closed windows: a new key is seldom looked for in SQLite, and a used one is always found."""

from __future__ import annotations

import pytest

from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.ordering.closed_keys import ClosedKeys
from tests.features.ordering.test_kept_counts import opened, queries
from tests.features.ordering.test_order_batch import said, submit
from tests.stage import Stage

LOOKUP = "CROSS JOIN orders"


async def test_only_keys_that_may_be_used_are_looked_for(stage: Stage, wang: User, ming: User) -> None:
    await opened(stage, wang)
    await submit(stage, (ming, "1", "first"))
    await stage.room.windows.stop(wang)
    await opened(stage, wang)
    for key, lookups in (("third", 0), ("first", 1)):
        async with queries(stage) as statements:
            await submit(stage, (ming, "1", f"second {key}"), (ming, "1", key))
        assert len([each for each in statements if LOOKUP in each]) == lookups


async def test_each_window_that_closes_adds_its_keys(stage: Stage, wang: User, ming: User) -> None:
    for number in range(3):
        await opened(stage, wang)
        await submit(stage, (ming, "1", f"a{number}"), (ming, "2", f"b{number}"))
        await stage.room.windows.stop(wang)
    await opened(stage, wang)
    answered = await submit(stage, *((ming, "5", key) for key in ("a0", "b1", "new", "a2")))
    assert [is_new for _, _, is_new in said(answered)] == [False, False, True, False]


async def test_what_is_read_in_a_transaction_that_is_lost_is_read_again(stage: Stage, wang: User, ming: User) -> None:
    await opened(stage, wang)
    keys = ClosedKeys()
    asked = [(ming.id, b"k" * 16)]

    def close_and_open(tx: Transaction) -> None:
        assert keys.maybe_used(tx, 2, asked) == []  # the order below is not placed yet
        raise LookupError

    with pytest.raises(LookupError):
        await stage.run(close_and_open)
    await submit(stage, (ming, "1", "late"))
    await stage.sql("UPDATE orders SET client_key = ?", asked[0][1])
    await stage.room.windows.stop(wang)
    assert await stage.run(lambda tx: keys.maybe_used(tx, 2, asked)) == asked
