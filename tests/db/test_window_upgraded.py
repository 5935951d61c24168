"""An upgrade during an ordering window: the window of an older schema continues in the present schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from chatserver.core.errors import ErrorCode
from chatserver.core.model import Kind, Role, User
from chatserver.db import migrations
from chatserver.features.messages.text import client_key
from chatserver.features.ordering import journal
from chatserver.features.ordering.model import order_extra, total_json
from tests.db.test_upgrade_copy import OLDER, made
from tests.orders import lines
from tests.stage import refuses, staged
from tests.support import FakeClock

# In the rooms of `schemas/`, 店长 opened the window, and the mute of 小明 has ended.
KEEPER, MING = User(1, "店长", Role.ADMINISTRATOR), User(2, "小明", Role.MEMBER)
OPENED_MS, NOW_MS, CLOSES_MS = 1_795_330_300_000, 1_795_330_360_000, 1_795_330_400_000
FIRST_WITH_ORDERS = 7
LINES = '[{"item":1,"name":"蓝莓","unit":"盒","quantity":"3","price":"25.00"}]'


@pytest.mark.parametrize("schema", OLDER)
async def test_an_open_window_takes_orders_after_the_upgrade_and_closes_at_its_time(
    tmp_path: Path, schema: int
) -> None:
    with closing(sqlite3.connect(made(tmp_path / "chat.db", schema))) as connection, connection:
        connection.execute(
            "INSERT INTO windows (id, opened_ms, closes_ms, opened_by) VALUES (2, ?, ?, 1)", (OPENED_MS, CLOSES_MS)
        )
    clock = FakeClock(NOW_MS)
    async with staged(tmp_path, clock) as stage:
        await stage.room.windows.load()
        shown = stage.room.windows.hello_fields()["window"]
        assert (shown["id"], shown["closes_ms"], shown["orders"]) == (2, CLOSES_MS, 0)
        placed = await stage.room.place_order.place(MING, [], "蓝莓八盒")
        assert (placed.order.window_id, placed.order.no) == (2, 1)
        clock.set_wall(CLOSES_MS)
        await stage.room.windows.close_due()
        entries = await stage.run(lambda tx: journal.entries(tx, 2))
        assert journal.first_wrong(entries) is None and len(entries) == 3
        assert await stage.sql("SELECT closed_ms, orders FROM windows WHERE id = 2") == [(CLOSES_MS, 1)]


@pytest.mark.parametrize("schema", [schema for schema in OLDER if schema >= FIRST_WITH_ORDERS])
async def test_its_order_is_known_after_the_close_and_its_words_go_when_it_is_withdrawn(
    tmp_path: Path, schema: int
) -> None:
    with_an_order(made(tmp_path / "chat.db", schema))
    clock = FakeClock(NOW_MS)
    async with staged(tmp_path, clock) as stage:
        clock.set_wall(CLOSES_MS)
        await stage.room.windows.close_due()
        await stage.room.windows.start(KEEPER)
        again = await stage.room.place_order.place(MING, [], "蓝莓八盒", "c-order")
        assert (again.order.window_id, again.order.no, again.is_new) == (2, 1, False)
        await stage.room.recall.recall(KEEPER, 7, "拿错了")
        entries = await stage.run(lambda tx: journal.entries(tx, 2))
        assert journal.first_wrong(entries) is None
        assert [entry.body is None for entry in entries] == [False, True, False, False]
        assert await stage.sql("SELECT lines, entry FROM orders WHERE message_id = 7") == [("[]", None)]


@pytest.mark.parametrize("schema", [schema for schema in OLDER if schema >= FIRST_WITH_ORDERS])
async def test_its_orders_are_counted_on(tmp_path: Path, schema: int) -> None:
    receipt = with_an_order(made(tmp_path / "chat.db", schema))
    clock = FakeClock(NOW_MS)
    async with staged(tmp_path, clock) as stage:
        with refuses(ErrorCode.OVER_LIMIT) as refused:
            await stage.room.place_order.place(MING, lines(i1="6"))
        assert (refused.details["have"], refused.details["limit"]) == ("3", "8")
        with refuses(ErrorCode.SOLD_OUT) as refused:
            await stage.room.place_order.place(KEEPER, lines(i1="8"))
        assert refused.details["left"] == "7"
        again = await stage.room.place_order.place(MING, lines(i1="3"), "", "c-order")
        assert (again.order.no, again.order.receipt, again.is_new) == (1, receipt, False)
        assert (again.message.id, again.message.kind) == (7, Kind.ORDER)
        second = await stage.room.place_order.place(KEEPER, lines(i1="7"))
        assert second.order.no == 2
        changed = await stage.room.change_order.change(MING, 7, lines(i1="1"))
        assert (changed.order.no, changed.order.total) == (1, 2_500)
        clock.set_wall(CLOSES_MS)
        await stage.room.windows.close_due()
        entries = await stage.run(lambda tx: journal.entries(tx, 2))
        assert journal.first_wrong(entries) is None and len(entries) == 5
        assert await stage.sql("SELECT orders, members, last_no, head FROM windows WHERE id = 2") == [
            (2, 2, 2, entries[-1].head)
        ]
        assert await stage.sql("SELECT ordered FROM items WHERE window_id = 2") == [(800,)]


def test_the_entries_of_orders_are_found_by_an_index(tmp_path: Path) -> None:
    """Without this rule, the end of the window read the journal of 10,000 orders 10,000 times."""
    [step] = [step for step in migrations._steps() if step.number == 21]
    [statement] = [each for each in step.sql.split(";") if "UPDATE orders SET entry" in each]
    with closing(sqlite3.connect(made(tmp_path / "chat.db", 20))) as connection:
        connection.execute("ALTER TABLE orders ADD COLUMN entry INTEGER")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert [step for step in plan if step.startswith("SEARCH j USING INDEX journal_words")], plan


def with_an_order(path: Path) -> bytes:
    """Add an open window with one order of 小明 to the room. Returns the order's receipt."""
    salts = journal.salts(2)
    opened = journal.next_entry(journal.FIRST_HEAD, salts[0], journal.body_of({"kind": "opened", "at_ms": OPENED_MS}))
    body = journal.body_of({"kind": "accepted", "at_ms": OPENED_MS + 1, "no": 1})
    accepted = journal.next_entry(opened.head, salts[1], body)
    extra = order_extra(2, 1, LINES, '""', total_json(7_500))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO windows (id, opened_ms, closes_ms, opened_by, title, last_no, orders, members, entries, head)"
            " VALUES (2, ?, ?, 1, '周五水果', 1, 1, 1, 2, ?)",
            (OPENED_MS, CLOSES_MS, accepted.head),
        )
        connection.execute("INSERT INTO items VALUES (2, 1, '蓝莓', '盒', 2500, 1000, 800, 300)")
        connection.execute(
            "INSERT INTO messages (id, seq, posted_seq, kind, user_id, text, created_ms, recall_until_ms, window_id,"
            " extra) VALUES (7, 8, 8, 'order', 2, '蓝莓 3盒', ?, ?, 2, ?)",
            (OPENED_MS + 1, OPENED_MS + 30_001, extra),
        )
        connection.execute("UPDATE room SET seq = 8")
        connection.execute(
            "INSERT INTO orders (message_id, window_id, no, user_id, lines, note, total, created_ms, changed_ms,"
            " client_key, posted_seq, receipt) VALUES (7, 2, 1, 2, ?, '', 7500, ?, ?, ?, 8, ?)",
            (LINES, OPENED_MS + 1, OPENED_MS + 1, client_key("c-order"), accepted.head),
        )
        for number, (entry, order_no) in enumerate(((opened, None), (accepted, 1)), 1):
            connection.execute("INSERT INTO journal VALUES (2, ?, ?, ?, ?, ?, ?)", (number, order_no, *entry))
    return accepted.head
