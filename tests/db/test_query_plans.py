"""Statements of every commit or request use an index, so their cost does not grow with the stored data."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from chatserver.core.errors import DomainError
from chatserver.core.model import Kind, Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction, Values
from chatserver.features.accounts import store as account_store
from chatserver.features.messages import media
from chatserver.features.messages import store as message_store
from chatserver.features.messages.delete import Delete
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.expiry import Expiry
from chatserver.features.messages.recall import Recall
from chatserver.features.ordering import journal
from chatserver.features.ordering import store as order_store
from chatserver.features.planning import plan_store
from chatserver.features.settings.settings import Settings
from tests.support import FakeClock, make_config, no_orders

T = TypeVar("T")

WHO = User(1, "小明", Role.MEMBER, "")


class Explained(Transaction):
    """Records how each statement finds its messages, plans, orders or journal entries, and then runs it."""

    __slots__ = ("_execute", "_plans")

    def __init__(self, tx: Transaction, plans: dict[str, list[str]]) -> None:
        super().__init__(tx.execute.__self__, tx.batch)
        self._execute = self.execute
        self._plans = plans
        self.execute = self._explained

    def _explained(self, sql: str, values: Values = ()) -> Any:
        steps = self._execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        self._plans.setdefault(sql, []).extend(
            step[3] for step in steps if step[3].split()[1] in ("messages", "m", "p", "orders", "o", "journal")
        )
        return self._execute(sql, values)


class ExplainingDatabase:
    """Runs each function with an Explained transaction. `plans`: statement -> query plan."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.plans: dict[str, list[str]] = {}

    async def run(self, function: Callable[[Transaction], T], *, frees: bool = False) -> T:
        return await self._database.run(lambda tx: function(Explained(tx, self.plans)), frees=frees)


class Asked:
    """The use cases, over a database that records the query plans."""

    def __init__(self, database: Any, data_dir: Path) -> None:
        clock, config = FakeClock(), make_config(data_dir)
        encoder = MessageEncoder(config.timezone)
        self.run = database.run
        self.recall = Recall(database, clock, encoder, no_orders)
        self.delete = Delete(database, clock, encoder, no_orders)
        self.expiry = Expiry(database, Settings(config, {}), clock)


# Question -> the beginning of its statement, the index that it uses, and the call.
ASKED: dict[str, tuple[str, str, Callable[[Asked], Awaitable[object]]]] = {
    "what is too old": ("SELECT max(+id)", "messages_by_age", lambda asked: asked.expiry.expire()),
    "what is too much": (
        "SELECT id FROM messages WHERE state", "messages_kept", lambda asked: asked.expiry.expire()
    ),
    "what goes": ("DELETE FROM messages", "PRIMARY KEY", lambda asked: asked.expiry.expire()),
    "the next to expire": ("SELECT min(created_ms)", "messages_by_age", lambda asked: asked.expiry.next_expiry()),
    "the next window to close": (
        "SELECT min(recall_until_ms)", "messages_by_recall", lambda asked: asked.recall.next_window_end()
    ),
    "the windows that closed": (
        "SELECT id, user_id", "messages_by_recall", lambda asked: asked.recall.announce_closed_windows()
    ),
    "whose file that was": (
        "SELECT state", "messages_by_media", lambda asked: asked.run(lambda tx: media.state_of(tx, "abc"))
    ),
    "what was posted before": (
        "SELECT m.posted_seq", "messages_by_client",
        lambda asked: asked.run(lambda tx: message_store.posted_before(tx, 1, b"key")),
    ),
    "one message": ("SELECT m.id", "PRIMARY KEY", lambda asked: asked.run(lambda tx: message_store.get(tx, 1))),
    "the page before": (
        "SELECT m.id", "messages_kept", lambda asked: asked.run(lambda tx: message_store.before(tx, 50, 10))
    ),
    "what is planned": ("SELECT p.id", "plans_by_time", lambda asked: asked.run(plan_store.ahead)),
    "what is due": (
        "SELECT p.id", "plans_by_time", lambda asked: asked.run(lambda tx: plan_store.due(tx, 1))
    ),
    "what was ordered before": (
        "SELECT o.message_id", "orders_by_client",
        lambda asked: asked.run(lambda tx: order_store.placed_before(tx, 1, b"key")),
    ),
    "what was ordered before in this window": (
        "SELECT o.message_id", "orders_by_member",
        lambda asked: asked.run(lambda tx: order_store.placed_before(tx, 1, b"key")),
    ),
    "keys of a batch": (
        "WITH asked", "orders_by_client",
        lambda asked: asked.run(lambda tx: order_store.are_new_keys(tx, [(1, b"key"), (2, b"key")])),
    ),
    "the keys of closed windows": (
        "SELECT client_key", "orders_by_member",
        lambda asked: asked.run(lambda tx: list(order_store.keys_of_windows(tx, 0, 2))),
    ),
    "what members have ordered": (
        "SELECT user_id, state", "orders_by_member",
        lambda asked: asked.run(lambda tx: order_store.orders_of_members(tx, 1, [1, 2])),
    ),
    "the orders of a window": (
        "SELECT o.message_id", "orders_by_member", lambda asked: asked.run(lambda tx: order_store.orders(tx, 1))
    ),
    "the order of a number": (
        "SELECT o.message_id", "orders_by_member",
        lambda asked: asked.run(lambda tx: order_store.order_of_number(tx, 1, 1)),
    ),
    "the journal of a window": (
        "SELECT salt", "PRIMARY KEY", lambda asked: asked.run(lambda tx: journal.entries(tx, 1))
    ),
    "a withdrawal": (
        "UPDATE journal", "PRIMARY KEY", lambda asked: asked.run(lambda tx: journal.erase_words(tx, 1, 1))
    ),
    "the close of a window": (
        "UPDATE orders", "orders_by_member", lambda asked: asked.run(lambda tx: order_store.index_keys(tx, 1))
    ),
    "a recall": ("UPDATE messages SET state = 'recalled'", "PRIMARY KEY", lambda asked: asked.recall.recall(WHO, 1)),
    "a deletion": ("UPDATE messages SET state = 'deleted'", "PRIMARY KEY", lambda asked: asked.delete.delete(WHO, 1)),
}  # fmt: skip


def _add_an_old_message(tx: Transaction) -> None:
    assert account_store.insert(tx, WHO.name, WHO.name, "none", WHO.role, "", 0) == WHO
    assert message_store.insert(tx, message_store.NewMessage(WHO, Kind.TEXT, "old", 0, 0)) is not None


@pytest.mark.parametrize("what", ASKED)
async def test_it_goes_by_an_index(database: Database, tmp_path: Path, what: str) -> None:
    statement, index, ask = ASKED[what]
    await database.run(_add_an_old_message)
    explaining = ExplainingDatabase(database)
    with contextlib.suppress(DomainError):
        await ask(Asked(explaining, tmp_path))
    asked = [plan for sql, plans in explaining.plans.items() if sql.startswith(statement) for plan in plans]
    assert any(index in plan for plan in asked), explaining.plans
    assert all(" USING " in plan for plans in explaining.plans.values() for plan in plans), explaining.plans
