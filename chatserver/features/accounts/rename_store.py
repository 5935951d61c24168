"""SQL for the changes of names: each member's last change of name, kept for 24 hours."""

from __future__ import annotations

from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names

# A member may change the name once in this time, during which the old name is shown and reserved for the member.
HELD_MS = 24 * 3_600_000


def add(tx: Transaction, user_id: int, old_name: str, now_ms: int) -> None:
    """The member gave up `old_name`."""
    _put(tx, user_id, now_ms, old_name, names.skeleton(old_name))


def add_taken(tx: Transaction, user_id: int, now_ms: int) -> None:
    """An administrator took the member's name away. No old name is shown or reserved for the member."""
    _put(tx, user_id, now_ms, None, None)


def wait_ms(tx: Transaction, user_id: int, now_ms: int) -> int:
    """The time until the member may change the name, in ms; 0 for now."""
    row = tx.one("SELECT renamed_ms FROM renames WHERE user_id = ?", (user_id,))
    return max(0, row[0] + HELD_MS - now_ms) if row else 0


def old_names(tx: Transaction) -> list[tuple[int, str]]:
    """All old names that are shown, each with its member's id."""
    return tx.all("SELECT user_id, old_name FROM renames WHERE old_name IS NOT NULL")


def holder(tx: Transaction, skeleton: str, now_ms: int) -> int | None:
    """The id of the member who gave up a name with this skeleton less than HELD_MS ago."""
    row = tx.one(
        "SELECT user_id FROM renames WHERE old_skeleton = ? AND renamed_ms > ? ORDER BY renamed_ms DESC",
        (skeleton, now_ms - HELD_MS),
    )
    return row[0] if row else None


def next_end(tx: Transaction) -> int | None:
    """When the oldest row ends, in Unix ms; None if there is no row."""
    (renamed_ms,) = tx.one("SELECT min(renamed_ms) FROM renames")
    return None if renamed_ms is None else renamed_ms + HELD_MS


def delete_ended(tx: Transaction, now_ms: int) -> int:
    """Delete the rows that have ended. Returns their number."""
    return tx.execute("DELETE FROM renames WHERE renamed_ms <= ?", (now_ms - HELD_MS,)).rowcount


def _put(tx: Transaction, user_id: int, now_ms: int, old_name: str | None, skeleton: str | None) -> None:
    tx.execute(
        "INSERT OR REPLACE INTO renames (user_id, renamed_ms, old_name, old_skeleton) VALUES (?, ?, ?, ?)",
        (user_id, now_ms, old_name, skeleton),
    )
