"""The ledger of one window inside one transaction: its counters, its items, and the end of its journal.

The counters are kept in memory while a transaction function runs, and written once by `save`. So a hundred orders
of one batch update the window's row once, and append to the journal in one or two statements.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_text
from chatserver.core.model import User
from chatserver.db.transaction import RetryOneByOne, Transaction
from chatserver.features.ordering import amounts, journal, store
from chatserver.features.ordering.kept_counts import Counts, KeptCounts, MemberOrders
from chatserver.features.ordering.model import OrderContent, OrderingWindow, PricedLines
from chatserver.features.ordering.order_input import OrderInput

# Orders of one member in one window. Withdrawn orders count too, because each leaves a row and two journal entries.
ORDERS_OF_MEMBER_MAX = 20


class LedgerTransaction:
    def __init__(self, tx: Transaction, window: store.WindowRow, counts: Counts | None = None) -> None:
        """`counts`: the present counts of this window, if they are known."""
        self._tx = tx
        self.window = window
        self.items = counts.items if counts else {item.id: item for item in store.items(tx, window.id)}
        self._members = counts.members if counts else {}
        self._last_no = window.last_no
        self._orders = window.orders
        self._orderers = window.members
        self.entries = window.entries
        self.head = window.head
        # Item's id -> hundredths in standing orders; `save` writes the quantities that changed.
        self._ordered = {item.id: item.ordered for item in self.items.values()}
        # The lines of an `OrderInput` -> the same lines with their prices.
        self._priced: dict[tuple[tuple[int, int], ...], PricedLines] = {}
        # (number of the order whose text the entry holds, entry); written by `save`.
        self._new_entries: list[tuple[int | None, journal.Entry]] = []
        self._salts: list[bytes] = []

    @classmethod
    def open(cls, tx: Transaction, kept: KeptCounts | None = None) -> LedgerTransaction | None:
        """Open the ledger of the open window; None if no window is open."""
        window = store.open_window(tx)
        return cls(tx, window, kept.take(window) if kept else None) if window else None

    def counts(self) -> Counts:
        """The counts, for the next LedgerTransaction of this window. Do not use this LedgerTransaction afterwards."""
        return Counts(self.window.id, self.head, self.items, self._members)

    def expect_entries(self, count: int) -> None:
        """Draw the salts of the next `count` entries in one call."""
        self._salts = journal.salts(count)

    def load_members(self, user_ids: Iterable[int]) -> None:
        """Read the orders of these members, except of members that are already loaded, in one query."""
        missing = [*{*user_ids} - self._members.keys()]
        if not missing:
            return
        for user_id in missing:
            self._members[user_id] = MemberOrders()
        for user_id, is_standing, lines, key in store.orders_of_members(self._tx, self.window.id, missing):
            member = self._members[user_id]
            member.count += 1
            member.keys.add(key)
            if is_standing:
                member.add(_quantities(lines))

    def words(self, asked: OrderInput) -> OrderContent:
        """Price and encode equal lines only once, because orders in a batch are often equal.

        Raises DomainError as `OrderInput.words` does.
        """
        priced = self._priced.get(asked.lines) if asked.lines else None
        if priced is not None:
            return OrderContent(priced, asked.note, encode_text(asked.note))
        words = asked.words(self.items)
        self._priced[asked.lines] = words.priced
        return words

    def has_key(self, user_id: int, key: bytes | None) -> bool:
        """Whether this member has ordered under this client key in this window."""
        return key is not None and key in self._members[user_id].keys

    def check(self, user_id: int, words: OrderContent) -> None:
        """Check the stock and the member's limit for each item. Raises DomainError: `sold_out`, `over_limit`."""
        have = self._members[user_id].quantities
        for line in words.priced.lines:
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
            left = None if item.stock is None else max(0, item.stock - self._ordered[item.id])
            if left is not None and line.quantity > left:
                raise DomainError(
                    ErrorCode.SOLD_OUT,
                    item=item.id,
                    name=item.name,
                    unit=item.unit,
                    left=amounts.quantity(left),
                    **({"reason": "none"} if left == 0 else {}),
                )

    def accept(self, at_ms: int, user: User, words: OrderContent, key: bytes | None) -> tuple[int, bytes, int]:
        """Check a new order, number and count it, and append it to the journal.

        Returns the order's number, its receipt (the head) and the number of its entry. Raises DomainError as `check`
        does, and `over_limit` for the member's number of orders; RetryOneByOne if the member has used the key in this
        window.
        """
        member = self._members[user.id]
        if key is not None and key in member.keys:
            raise RetryOneByOne
        if member.count >= ORDERS_OF_MEMBER_MAX:
            raise DomainError(
                ErrorCode.OVER_LIMIT, item=None, limit=ORDERS_OF_MEMBER_MAX, have=member.count, reason="orders"
            )
        self.check(user.id, words)
        if not self.entries:
            self.write_opened(self.window.opened_by.name)
        self._last_no = no = self._last_no + 1
        member.count += 1
        member.keys.add(key)
        self.add(user.id, words)
        receipt = self._append(no, journal.accepted_body(at_ms, no, user, words))
        return no, receipt, self.entries

    def add(self, user_id: int, words: OrderContent) -> None:
        """Add a standing order to the counters."""
        member = self._members[user_id]
        self._orders += 1
        self._orderers += member.standing == 0
        member.add(words.priced.quantities)
        for item, hundredths in words.priced.quantities.items():
            self._ordered[item] += hundredths

    def take_out(self, user_id: int, lines: str) -> None:
        """Subtract an order from the counters; `lines` as the ledger stores them."""
        member = self._members[user_id]
        self._orders -= 1
        member.standing -= 1
        self._orderers -= member.standing == 0
        for item, hundredths in _quantities(lines).items():
            member.quantities[item] -= hundredths
            self._ordered[item] -= hundredths

    def write(self, kind: str, at_ms: int, words_of: int | None = None, **fields: Any) -> bytes:
        """Append an entry to the journal and return its head. `save` stores the entry.

        `words_of`: the number of the order whose text it holds. If a window was opened before there were journals,
        its journal begins with the first change.
        """
        if not self.entries and kind != "opened":
            self.write_opened(self.window.opened_by.name)
        return self._append(words_of, journal.body_of({"kind": kind, "at_ms": at_ms, **fields}))

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
            **({"planned": True} if window.is_planned else {}),
        )

    def _append(self, words_of: int | None, body: str) -> bytes:
        self.entries += 1
        salt = self._salts.pop() if self._salts else journal.salts(1)[0]
        entry = journal.next_entry(self.head, salt, body)
        self._new_entries.append((words_of, entry))
        self.head = entry.head
        return self.head

    def move(self, closes_ms: int) -> None:
        self.window = self.window._replace(closes_ms=closes_ms)
        self._tx.execute("UPDATE windows SET closes_ms = ? WHERE id = ?", (closes_ms, self.window.id))

    def close(self, closed_ms: int) -> None:
        self.window = self.window._replace(closed_ms=closed_ms)
        self._tx.execute("UPDATE windows SET closed_ms = ? WHERE id = ?", (closed_ms, self.window.id))
        store.index_keys(self._tx, self.window.id)

    def save(self) -> OrderingWindow:
        """Write the counters and the new entries of the journal. Returns the window as readers get it."""
        journal.insert(self._tx, self.window.id, self.entries - len(self._new_entries) + 1, self._new_entries)
        self._new_entries.clear()
        self.window = self.window._replace(
            last_no=self._last_no, orders=self._orders, members=self._orderers, entries=self.entries, head=self.head
        )
        self._tx.execute(
            "UPDATE windows SET last_no = ?, orders = ?, members = ?, entries = ?, head = ? WHERE id = ?",
            (self._last_no, self._orders, self._orderers, self.entries, self.head, self.window.id),
        )
        for item in [item for item in self.items.values() if item.ordered != self._ordered[item.id]]:
            self.items[item.id] = item._replace(ordered=self._ordered[item.id])
            self._tx.execute(
                "UPDATE items SET ordered = ? WHERE window_id = ? AND id = ?",
                (self._ordered[item.id], self.window.id, item.id),
            )
        return self.shown()

    def shown(self) -> OrderingWindow:
        return self.window.shown(tuple(self.items.values()))

    @property
    def standing(self) -> int:
        """How many orders stand."""
        return self._orders


# Members often order the same, and a batch reads the earlier orders of each member who has a new order in it.
@lru_cache(maxsize=512)
def _quantities(lines: str) -> Mapping[int, int]:
    """Item's id -> hundredths, from lines as the ledger stores them."""
    return {line["item"]: amounts.parse(line["quantity"]) or 0 for line in json.loads(lines)}
