"""Who answered which message with which emoji."""

from __future__ import annotations

from chatserver.db.transaction import Transaction


def add(tx: Transaction, message_id: int, emoji: str, user_id: int) -> bool:
    """False when it was there already."""
    done = tx.execute(
        "INSERT INTO reactions (message_id, emoji, user_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (message_id, emoji, user_id),
    )
    return done.rowcount > 0


def remove(tx: Transaction, message_id: int, emoji: str, user_id: int) -> bool:
    """False when it was not there."""
    done = tx.execute(
        "DELETE FROM reactions WHERE message_id = ? AND emoji = ? AND user_id = ?", (message_id, emoji, user_id)
    )
    return done.rowcount > 0


def remove_all(tx: Transaction, message_id: int) -> None:
    tx.execute("DELETE FROM reactions WHERE message_id = ?", (message_id,))
