"""What runs with every commit or request goes by an index, however much is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chatserver.core.model import Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction, Values
from chatserver.features.messages import store as message_store

WHO = User(1, "小明", Role.MEMBER, "")
ASKED: dict[str, tuple[str, Callable[[Transaction], object]]] = {
    "what is too old": ("messages_by_age", lambda tx: message_store.oldest_to_keep(tx, 100, 0)),
    "what is too much": ("messages_kept", lambda tx: message_store.oldest_to_keep(tx, 100, 0)),
    "what goes": ("PRIMARY KEY", lambda tx: message_store.erase_below(tx, 1)),
    "the next to expire": ("messages_by_age", message_store.next_expiry),
    "the next to settle": ("messages_by_recall", lambda tx: message_store.next_settling(tx, 0)),
    "those that settled": ("messages_by_recall", lambda tx: message_store.settled_between(tx, 0, 1)),
    "whose file that was": ("messages_by_media", lambda tx: message_store.state_of_media(tx, "abc")),
    "what was posted before": ("messages_by_client", lambda tx: message_store.posted_before(tx, 1, b"key")),
    "one message": ("PRIMARY KEY", lambda tx: message_store.get(tx, 1)),
    "the page before": ("messages_kept", lambda tx: message_store.before(tx, 50, 10)),
    "a recall": ("PRIMARY KEY", lambda tx: message_store.recall(tx, 1, WHO, 0)),
    "a deletion": ("PRIMARY KEY", lambda tx: message_store.delete(tx, 1, WHO)),
}


class Explained(Transaction):
    """Notes how each statement finds its messages, and then runs it."""

    def __init__(self, tx: Transaction) -> None:
        super().__init__(tx._connection)
        self.plans: list[str] = []

    def execute(self, sql: str, values: Values = ()) -> Any:
        self._explain(sql, values)
        return super().execute(sql, values)

    def one(self, sql: str, values: Values = ()) -> Any:
        self._explain(sql, values)
        return super().one(sql, values)

    def all(self, sql: str, values: Values = ()) -> list[Any]:
        self._explain(sql, values)
        return super().all(sql, values)

    def _explain(self, sql: str, values: Values) -> None:
        steps = self._connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        self.plans += [step[3] for step in steps if step[3].split()[1] in ("messages", "m")]


@pytest.mark.parametrize("what", ASKED)
async def test_it_goes_by_an_index(database: Database, what: str) -> None:
    index, ask = ASKED[what]

    def explain(tx: Transaction) -> list[str]:
        explained = Explained(tx)
        ask(explained)
        return explained.plans

    plans = await database.run(explain)
    assert any(index in plan for plan in plans), plans
    assert all(" USING " in plan for plan in plans), plans
