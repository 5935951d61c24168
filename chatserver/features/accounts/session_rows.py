"""The logins. Found by the hash of their token, which only the browser holds."""

from __future__ import annotations

from chatserver.core.model import Role, Session, User
from chatserver.db.transaction import Transaction

_COLUMNS = (
    "s.id, u.id, u.name, u.role, u.avatar, s.created_ms, s.seen_ms, s.expires_ms, s.agent, s.address"
    " FROM sessions s JOIN users u ON u.id = s.user_id"
)


def insert(
    tx: Transaction,
    token_hash: bytes,
    user_id: int,
    now_ms: int,
    expires_ms: int,
    agent: str,
    address: str,
    proof: str | None = None,
) -> bool:
    """A new login. False when the member is banned, or `proof` is given and is no longer their password's hash."""
    done = tx.execute(
        "INSERT INTO sessions (token_hash, user_id, created_ms, seen_ms, expires_ms, agent, address)"
        " SELECT :token_hash, id, :now_ms, :now_ms, :expires_ms, :agent, :address FROM users"
        " WHERE id = :user_id AND banned = 0 AND (:proof IS NULL OR password = :proof)",
        {
            "token_hash": token_hash,
            "user_id": user_id,
            "now_ms": now_ms,
            "expires_ms": expires_ms,
            "agent": agent,
            "address": address,
            "proof": proof,
        },
    )
    return done.rowcount > 0


def find(tx: Transaction, token_hash: bytes, now_ms: int) -> Session | None:
    """The login that this token opens, unless it has expired or its member is banned."""
    row = tx.one(
        f"SELECT {_COLUMNS} WHERE s.token_hash = ? AND s.expires_ms > ? AND u.banned = 0", (token_hash, now_ms)
    )
    return _session(row) if row else None


def of_user(tx: Transaction, user_id: int, now_ms: int) -> list[Session]:
    """The member's logins, the one seen last first."""
    rows = tx.all(
        f"SELECT {_COLUMNS} WHERE s.user_id = ? AND s.expires_ms > ? ORDER BY s.seen_ms DESC, s.id DESC LIMIT 100",
        (user_id, now_ms),
    )
    return [_session(row) for row in rows]


def touch(tx: Transaction, session_id: int, now_ms: int, expires_ms: int) -> bool:
    """Note that the login was used. False when it has ended."""
    done = tx.execute("UPDATE sessions SET seen_ms = ?, expires_ms = ? WHERE id = ?", (now_ms, expires_ms, session_id))
    return done.rowcount > 0


def delete(tx: Transaction, session_id: int, user_id: int) -> bool:
    """End one login of this member; False when it is not theirs or was ended before."""
    return tx.execute("DELETE FROM sessions WHERE id = ? AND user_id = ?", (session_id, user_id)).rowcount > 0


def delete_others(tx: Transaction, user_id: int, kept_id: int | None) -> tuple[int, ...]:
    """End every login of this member but one; the ids of those that ended."""
    rows = tx.all("DELETE FROM sessions WHERE user_id = ? AND id IS NOT ? RETURNING id", (user_id, kept_id))
    return tuple(row[0] for row in rows)


def delete_expired(tx: Transaction, now_ms: int) -> tuple[int, ...]:
    return tuple(row[0] for row in tx.all("DELETE FROM sessions WHERE expires_ms <= ? RETURNING id", (now_ms,)))


def next_expiry(tx: Transaction) -> int | None:
    row = tx.one("SELECT min(expires_ms) FROM sessions")
    return row[0] if row else None


def _session(row: tuple[int, int, str, str, str, int, int, int, str, str]) -> Session:
    session_id, user_id, name, role, avatar, created_ms, seen_ms, expires_ms, agent, address = row
    return Session(session_id, User(user_id, name, Role(role), avatar), created_ms, seen_ms, expires_ms, agent, address)
