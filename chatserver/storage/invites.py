"""The invitations. Found by the hash of their code, which only the address in somebody's hands holds."""

from __future__ import annotations

from chatserver.storage.database import Transaction


def insert(tx: Transaction, code_hash: bytes, uses: int, now_ms: int, expires_ms: int) -> None:
    tx.execute(
        "INSERT INTO invites (code_hash, uses_left, created_ms, expires_ms) VALUES (?, ?, ?, ?)",
        (code_hash, uses, now_ms, expires_ms),
    )


def is_good(tx: Transaction, code_hash: bytes, now_ms: int) -> bool:
    """True while somebody may still come in with it."""
    return tx.one("SELECT 1 FROM invites WHERE code_hash = ? AND expires_ms > ?", (code_hash, now_ms)) is not None


def use(tx: Transaction, code_hash: bytes, now_ms: int) -> bool:
    """Take one use of it, and the whole of it with the last; False when it is not good."""
    last = tx.execute(
        "DELETE FROM invites WHERE code_hash = ? AND expires_ms > ? AND uses_left = 1", (code_hash, now_ms)
    )
    if last.rowcount:
        return True
    one = tx.execute(
        "UPDATE invites SET uses_left = uses_left - 1 WHERE code_hash = ? AND expires_ms > ?", (code_hash, now_ms)
    )
    return one.rowcount > 0


def delete_expired(tx: Transaction, now_ms: int) -> None:
    tx.execute("DELETE FROM invites WHERE expires_ms <= ?", (now_ms,))
