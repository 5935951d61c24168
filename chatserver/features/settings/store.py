"""The rows of the settings that administrators changed, with the last change of each."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of one setting. `value` is the typed text, or None if the override was removed."""

    value: str | None
    changed_ms: int
    by: str


def last_changes(tx: Transaction) -> dict[str, Change]:
    """Setting's name -> its last change."""
    rows = tx.all(
        "SELECT s.name, s.value, s.changed_ms, u.name FROM settings s JOIN users u ON u.id = s.changed_by"
        " ORDER BY s.name"
    )
    return {name: Change(value, changed_ms, by) for name, value, changed_ms, by in rows}


def put(tx: Transaction, name: str, value: str | None, now_ms: int, user_id: int) -> None:
    tx.execute(
        "INSERT INTO settings (name, value, changed_ms, changed_by) VALUES (?, ?, ?, ?) ON CONFLICT (name)"
        " DO UPDATE SET value = excluded.value, changed_ms = excluded.changed_ms, changed_by = excluded.changed_by",
        (name, value, now_ms, user_id),
    )
