"""The ledger of one window inside one transaction: its counters, its items, and the end of its journal.

Numbers are counted in memory while a transaction function runs, and written once by `save`: a hundred orders
of one batch update the window's row once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import amounts, journal, store
from chatserver.features.ordering.model import Item, OrderingWindow, Words

# Orders of one member in one window, withdrawn ones counted: each leaves a row and two entries for ever.
ORDERS_OF_MEMBER_MAX = 20


class MemberOrders:
    """What one member has in a window: how many orders, how many that stand, and how much of each item."""

    __slots__ = ("count", "quantities", "standing")

    def __init__(self) -> None:
        self.count = 0
        self.standing = 0
        self.quantities: dict[int, int] = defaultdict(int)

    def add(self, quantities: Mapping[int, int]) -> None:
        self.standing += 1
        for item, hundredths in quantities.items():
            self.quantities[item] += hundredths


class Book:
    def __init__(self, tx: Transaction, window: store.WindowRow) -> None:
        self._tx = tx
        self.window = window
        self.items = {item.id: item for item in store.items(tx, window.id)}
        self._members: dict[int, MemberOrders] = {}
        self._last_no = window.last_no
        self._orders = window.orders
        self._orderers = window.members
        self._entries = window.entries
        self.head = window.head
        self._counted: set[int] = set()

    @classmethod
    def open(cls, tx: Transaction) -> Book | None:
        """The book of the open window."""
        window = store.open_window(tx)
        return cls(tx, window) if window else None

    def load_members(self, user_ids: Iterable[int]) -> None:
        """Read what these members have ordered: one query for many."""
        for user_id in (missing := [*{*user_ids} - self._members.keys()]):
            self._members[user_id] = MemberOrders()
        for user_id, _, is_standing, lines in store.lines_of_members(self._tx, self.window.id, missing):
            member = self._members[user_id]
            member.count += 1
            if is_standing:
                member.add(_quantities(lines))

    def next_no(self) -> int:
        self._last_no += 1
        return self._last_no

    def check_new(self, user_id: int, words: Words) -> None:
        """Raises DomainError: `over_limit`, `sold_out`."""
        if self._members[user_id].count >= ORDERS_OF_MEMBER_MAX:
            raise DomainError(
                ErrorCode.OVER_LIMIT, item=None, limit=ORDERS_OF_MEMBER_MAX, have=self._members[user_id].count,
                reason="orders",
            )  # fmt: skip
        self.check(user_id, words)

    def check(self, user_id: int, words: Words) -> None:
        """Is there so much of each item, and may this member have it? Raises DomainError: `sold_out`, `over_limit`."""
        have = self._members[user_id].quantities
        for line in words.lines:
            item = self.items[line.item.id]
            if item.limit is not None and have[item.id] + line.quantity > item.limit:
                raise DomainError(
                    ErrorCode.OVER_LIMIT,
                    item=item.id,
                    name=item.name,
                    unit=item.unit,
                    limit=amounts.quantity(item.limit),
                    have=amounts.quantity(have[item.id]),
                )
            if item.left is not None and line.quantity > item.left:
                raise DomainError(
                    ErrorCode.SOLD_OUT,
                    item=item.id,
                    name=item.name,
                    unit=item.unit,
                    left=amounts.quantity(item.left),
                    **({"reason": "none"} if item.left == 0 else {}),
                )

    def add(self, user_id: int, words: Words, *, is_new: bool = False) -> None:
        """Count an order that stands from now on."""
        member = self._members[user_id]
        self._orders += 1
        self._orderers += member.standing == 0
        member.count += is_new
        quantities = {line.item.id: line.quantity for line in words.lines}
        member.add(quantities)
        self._order(quantities, 1)

    def take_out(self, user_id: int, lines: str) -> None:
        """Count an order no more; `lines` as the ledger has them."""
        member = self._members[user_id]
        self._orders -= 1
        member.standing -= 1
        self._orderers -= member.standing == 0
        quantities = _quantities(lines)
        for item, hundredths in quantities.items():
            member.quantities[item] -= hundredths
        self._order(quantities, -1)

    def write(self, kind: str, at_ms: int, words_of: int | None = None, **fields: Any) -> bytes:
        """Append an entry to the journal; its head. `words_of`: the number of the order whose words it holds.

        The journal of a window that was opened before there were journals begins with its first change.
        """
        if not self._entries and kind != "opened":
            self.write_opened(self.window.opened_by.name)
        self._entries += 1
        entry = journal.next_entry(self.head, {"kind": kind, "at_ms": at_ms, **fields})
        journal.insert(self._tx, self.window.id, self._entries, words_of, entry)
        self.head = entry.head
        return self.head

    def write_opened(self, by: str) -> None:
        window = self.window
        self.write(
            "opened",
            window.opened_ms,
            title=window.title,
            note=window.note,
            items=[item.as_offered() for item in self.items.values()],
            closes_ms=window.closes_ms,
            by=by,
        )

    def move(self, closes_ms: int) -> None:
        self.window = self.window._replace(closes_ms=closes_ms)
        self._tx.execute("UPDATE windows SET closes_ms = ? WHERE id = ?", (closes_ms, self.window.id))

    def close(self, closed_ms: int) -> None:
        self.window = self.window._replace(closed_ms=closed_ms)
        self._tx.execute("UPDATE windows SET closed_ms = ? WHERE id = ?", (closed_ms, self.window.id))

    def save(self) -> OrderingWindow:
        """Write the counters; the window as readers get it."""
        self.window = self.window._replace(
            last_no=self._last_no, orders=self._orders, members=self._orderers, entries=self._entries, head=self.head
        )
        self._tx.execute(
            "UPDATE windows SET last_no = ?, orders = ?, members = ?, entries = ?, head = ? WHERE id = ?",
            (self._last_no, self._orders, self._orderers, self._entries, self.head, self.window.id),
        )
        for item_id in self._counted:
            self._tx.execute(
                "UPDATE items SET ordered = ? WHERE window_id = ? AND id = ?",
                (self.items[item_id].ordered, self.window.id, item_id),
            )
        self._counted.clear()
        return self.shown()

    def shown(self) -> OrderingWindow:
        return self.window.shown(tuple(self.items.values()))

    @property
    def standing(self) -> int:
        """How many orders stand."""
        return self._orders

    def _order(self, quantities: Mapping[int, int], sign: int) -> None:
        for item_id, hundredths in quantities.items():
            item: Item = self.items[item_id]
            self.items[item_id] = item._replace(ordered=item.ordered + sign * hundredths)
            self._counted.add(item_id)


def _quantities(lines: str) -> dict[int, int]:
    """Item's id -> hundredths, of lines as the ledger has them."""
    if lines == "[]":
        return {}
    return {line["item"]: amounts.parse(line["quantity"]) or 0 for line in json.loads(lines)}
