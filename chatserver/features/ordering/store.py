"""SQL for windows, items and orders that several use cases share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from chatserver.core import json
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.transaction import Transaction, in_powers_of_two, insert_rows, places
from chatserver.features.ordering.model import Item, Order, OrderContent, OrderingWindow

_ORDER = (
    "SELECT o.message_id, o.window_id, o.no, o.user_id, u.name, o.state = 'accepted', o.lines, o.note, o.total,"
    " o.created_ms, o.changed_ms, o.posted_seq, o.receipt, o.entry FROM orders o JOIN users u ON u.id = o.user_id"
)
_WINDOW = (
    "SELECT w.id, w.opened_ms, w.closes_ms, w.closed_ms, w.title, w.note, w.last_no, w.orders, w.members, w.entries,"
    " w.head, w.planned, u.id, u.name, u.role, u.avatar FROM windows w JOIN users u ON u.id = w.opened_by"
)


class WindowRow(NamedTuple):
    """A window with its counters and the head of its journal. `closed_ms` is None while it is open."""

    id: int
    opened_ms: int
    closes_ms: int
    closed_ms: int | None
    title: str
    note: str
    last_no: int
    orders: int
    members: int
    entries: int
    head: bytes
    is_planned: bool
    opened_by: User

    def shown(self, items: tuple[Item, ...]) -> OrderingWindow:
        is_open = self.closed_ms is None
        return OrderingWindow(
            self.id,
            self.opened_ms,
            self.closes_ms if self.closed_ms is None else min(self.closes_ms, self.closed_ms),
            is_open,
            self.opened_by.name,
            self.title,
            self.note,
            items,
            self.orders,
            self.members,
            "" if is_open else self.head.hex(),
            self.is_planned,
        )


def open_window(tx: Transaction) -> WindowRow | None:
    return _window(tx.one(f"{_WINDOW} WHERE w.closed_ms IS NULL"))


def window(tx: Transaction, window_id: int) -> WindowRow | None:
    return _window(tx.one(f"{_WINDOW} WHERE w.id = ?", (window_id,)))


def shown_window(tx: Transaction, window_id: int) -> OrderingWindow:
    """A window as readers get it. Raises DomainError: `not_found`, `gone`."""
    row = window(tx, window_id)
    if row is None:
        raise missing(tx, window_id)
    return row.shown(items(tx, window_id))


def windows(tx: Transaction) -> list[WindowRow]:
    """All windows that are kept, newest first."""
    rows = (_window(row) for row in tx.all(f"{_WINDOW} ORDER BY w.id DESC"))
    return [row for row in rows if row]


def total(tx: Transaction, window_id: int) -> int | None:
    """The total of a window's standing orders in cents; None if no order has a price."""
    # Two sums, because SQLite refuses a sum of more than 63 bits, and the largest order has 53.
    millions, rest = tx.one(
        "SELECT sum(total / 1000000), sum(total % 1000000) FROM orders WHERE window_id = ? AND state = 'accepted'",
        (window_id,),
    )
    return None if rest is None else millions * 1_000_000 + rest


def newest_closed(tx: Transaction) -> WindowRow | None:
    return _window(tx.one(f"{_WINDOW} WHERE w.closed_ms IS NOT NULL ORDER BY w.id DESC LIMIT 1"))


def last_window_id(tx: Transaction) -> int:
    """The highest window id that was ever used."""
    row = tx.one("SELECT seq FROM sqlite_sequence WHERE name = 'windows'")
    return row[0] if row else 0


def missing(tx: Transaction, window_id: int) -> DomainError:
    """The error for a missing window: `gone` if it existed once, else `not_found`."""
    return DomainError(ErrorCode.GONE if window_id <= last_window_id(tx) else ErrorCode.NOT_FOUND)


def items(tx: Transaction, window_id: int) -> tuple[Item, ...]:
    rows = tx.all(
        "SELECT id, name, unit, price, stock, member_limit, ordered FROM items WHERE window_id = ? ORDER BY id",
        (window_id,),
    )
    return tuple(map(Item._make, rows))


def insert_items(tx: Transaction, window_id: int, offered: Iterable[Item]) -> None:
    for item in offered:
        tx.execute(
            "INSERT INTO items (window_id, id, name, unit, price, stock, member_limit) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (window_id, item.id, item.name, item.unit, item.price, item.stock, item.limit),
        )


def order(tx: Transaction, message_id: int) -> Order | None:
    return _order(tx.one(f"{_ORDER} WHERE o.message_id = ?", (message_id,)))


def order_of_number(tx: Transaction, window_id: int, no: int) -> Order | None:
    return _order(tx.one(f"{_ORDER} WHERE o.window_id = ? AND o.no = ?", (window_id, no)))


def placed_before(tx: Transaction, user_id: int, key: bytes | None) -> Order | None:
    """The order that this member has already placed with this client key."""
    if key is None:
        return None
    by_key = "o.user_id = ? AND o.client_key = ?"
    in_open_window = f"o.window_id = (SELECT id FROM windows WHERE closed_ms IS NULL) AND {by_key}"  # nosec B608 # constants
    return _order(
        tx.one(f"{_ORDER} WHERE o.window_closed = 1 AND {by_key}", (user_id, key))
        or tx.one(f"{_ORDER} WHERE {in_open_window}", (user_id, key))
    )


def are_new_keys(tx: Transaction, keys: Sequence[tuple[int, bytes | None]]) -> bool:
    """True if no order of a closed window has one of the `keys`: (member's id, client key)."""
    return not any(
        tx.one(
            f"WITH asked (user_id, client_key) AS ({places(2, len(some))})"  # nosec B608 # question marks alone
            " SELECT 1 FROM asked a CROSS JOIN orders o"
            " ON o.window_closed = 1 AND o.user_id = a.user_id AND o.client_key = a.client_key LIMIT 1",
            [*chain.from_iterable(some)],
        )
        for some in in_powers_of_two(keys)
    )


def keys_of_windows(tx: Transaction, first: int, end: int) -> Iterator[bytes]:
    """The client keys of all orders in windows with ids from `first` to before `end`."""
    rows = tx.execute(
        "SELECT client_key FROM orders WHERE window_id >= ? AND window_id < ? AND client_key IS NOT NULL", (first, end)
    )
    return (key for (key,) in rows)


def orders(tx: Transaction, window_id: int) -> list[Order]:
    """All orders of a window, sorted by number."""
    return [Order._make(row) for row in tx.execute(f"{_ORDER} WHERE o.window_id = ? ORDER BY o.no", (window_id,))]


def orders_of_members(
    tx: Transaction, window_id: int, user_ids: Iterable[int]
) -> list[tuple[int, bool, str, bytes | None]]:
    """What these members have ordered in a window: (member's id, whether it stands, lines, client key)."""
    return tx.all(
        "SELECT user_id, state = 'accepted', lines, client_key FROM orders"
        " WHERE window_id = ? AND user_id IN (SELECT value FROM json_each(?))",
        (window_id, json.encode_value([*user_ids])),
    )


def insert_orders(tx: Transaction, new: Sequence[tuple[Order, bytes | None]]) -> None:
    """Store new orders, each with its client key. The member must not have used the key before."""
    rows = [
        (
            order.id, order.window_id, order.no, order.user_id, order.lines, order.note, order.total, order.created_ms,
            order.changed_ms, client_key, order.posted_seq, order.receipt, order.entry,
        )
        for order, client_key in new
    ]  # fmt: skip
    insert_rows(tx, "orders", _COLUMNS, rows)


_COLUMNS = (
    "message_id", "window_id", "no", "user_id", "lines", "note", "total", "created_ms", "changed_ms", "client_key",
    "posted_seq", "receipt", "entry",
)  # fmt: skip


def index_keys(tx: Transaction, window_id: int) -> None:
    """Put the client keys of a window that closes into their index: see 0021_order_commits.sql."""
    tx.execute("UPDATE orders SET window_closed = 1 WHERE window_id = ?", (window_id,))


def change_order(tx: Transaction, message_id: int, words: OrderContent, entry: int, now_ms: int) -> bool:
    """Replace an order's content and its journal entry, and delete its reading. True if it had a reading."""
    tx.execute(
        "UPDATE orders SET lines = ?, note = ?, total = ?, entry = ?, changed_ms = ? WHERE message_id = ?",
        (words.priced.json, words.note, words.priced.total, entry, now_ms, message_id),
    )
    return _erase_reading(tx, message_id)


def withdraw_order(tx: Transaction, message_id: int, now_ms: int) -> None:
    """Mark an order as withdrawn, and erase its content and its reading; its number stays."""
    tx.execute(
        "UPDATE orders SET state = 'withdrawn', lines = '[]', note = '', total = NULL, entry = NULL, changed_ms = ?"
        " WHERE message_id = ?",
        (now_ms, message_id),
    )
    _erase_reading(tx, message_id)


def put_reading(tx: Transaction, message_id: int, lines: str) -> bool:
    """Store the confirmed reading of an order in place of the old reading. True if there was an old reading."""
    was_read = _erase_reading(tx, message_id)
    tx.execute("INSERT INTO order_readings (message_id, lines) VALUES (?, ?)", (message_id, lines))
    return was_read


def _erase_reading(tx: Transaction, message_id: int) -> bool:
    return tx.execute("DELETE FROM order_readings WHERE message_id = ?", (message_id,)).rowcount > 0


def _window(row: tuple[Any, ...] | None) -> WindowRow | None:
    if row is None:
        return None
    *fields, planned, user_id, name, role, avatar = row
    return WindowRow._make([*fields, bool(planned), User(user_id, name, Role(role), avatar)])


def _order(row: tuple[Any, ...] | None) -> Order | None:
    return Order._make(row) if row else None
