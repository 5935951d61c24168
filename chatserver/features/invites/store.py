"""The invitations. Found by the hash of their code, which only the address in somebody's hands holds."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.db.transaction import Transaction


@dataclass(frozen=True, slots=True)
class OpenInvite:
    """One that still works. `id` is the hash of its code in hexadecimal; `made_by` a name, "" for the operator."""

    id: str
    uses_left: int
    created_ms: int
    expires_ms: int
    made_by: str


def insert(tx: Transaction, new: OpenInvite, made_by: int | None) -> None:
    """`made_by` is the id of the administrator who made it."""
    tx.execute(
        "INSERT INTO invites (code_hash, uses_left, created_ms, expires_ms, made_by) VALUES (?, ?, ?, ?, ?)",
        (bytes.fromhex(new.id), new.uses_left, new.created_ms, new.expires_ms, made_by),
    )


def opened(tx: Transaction, now_ms: int, limit: int) -> list[OpenInvite]:
    """Those that still let somebody in, the newest first."""
    rows = tx.all(
        "SELECT lower(hex(i.code_hash)), i.uses_left, i.created_ms, i.expires_ms, coalesce(u.name, '')"
        " FROM invites i LEFT JOIN users u ON u.id = i.made_by WHERE i.expires_ms > ?"
        " ORDER BY i.created_ms DESC, i.code_hash LIMIT ?",
        (now_ms, limit),
    )
    return [OpenInvite(*row) for row in rows]


def delete(tx: Transaction, invite_id: str) -> bool:
    """False where there is none."""
    return tx.execute("DELETE FROM invites WHERE lower(hex(code_hash)) = ?", (invite_id,)).rowcount > 0


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
