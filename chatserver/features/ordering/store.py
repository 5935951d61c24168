"""The ordering windows. At most one is open; the index `windows_open` sees to it."""

from __future__ import annotations

from typing import Any

from chatserver.core.model import OrderingWindow, Role, User
from chatserver.db.transaction import Transaction


def open_one(tx: Transaction, opened_ms: int, closes_ms: int, opened_by: User) -> OrderingWindow:
    row = tx.one(
        "INSERT INTO windows (opened_ms, closes_ms, opened_by) VALUES (?, ?, ?) RETURNING id",
        (opened_ms, closes_ms, opened_by.id),
    )
    return OrderingWindow(row[0], opened_ms, closes_ms, True, opened_by.name)


def current(tx: Transaction) -> tuple[OrderingWindow, User] | None:
    """The open window and who opened it."""
    row = tx.one(
        "SELECT w.id, w.opened_ms, w.closes_ms, u.id, u.name, u.role, u.avatar"
        " FROM windows w JOIN users u ON u.id = w.opened_by WHERE w.closed_ms IS NULL"
    )
    return _window(row) if row else None


def move_end(tx: Transaction, window_id: int, closes_ms: int) -> None:
    tx.execute("UPDATE windows SET closes_ms = ? WHERE id = ? AND closed_ms IS NULL", (closes_ms, window_id))


def close(tx: Transaction, window_id: int, closed_ms: int) -> None:
    tx.execute("UPDATE windows SET closed_ms = ? WHERE id = ? AND closed_ms IS NULL", (closed_ms, window_id))


def forget_closed(tx: Transaction, before_ms: int) -> None:
    tx.execute("DELETE FROM windows WHERE closed_ms < ?", (before_ms,))


def _window(row: Any) -> tuple[OrderingWindow, User]:
    window_id, opened_ms, closes_ms, user_id, name, role, avatar = row
    return OrderingWindow(window_id, opened_ms, closes_ms, True, name), User(user_id, name, Role(role), avatar)
