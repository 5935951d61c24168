"""The members: their names, their passwords' hashes, their roles."""

from __future__ import annotations

from dataclasses import dataclass

from chatserver.model import Role, User
from chatserver.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A member with what only the rules may know."""

    user: User
    password: str
    muted_until_ms: int
    banned: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A member as an operator sees them. `seen_ms` is None for one who is logged in nowhere."""

    user: User
    created_ms: int
    seen_ms: int | None
    muted_until_ms: int
    banned: bool


def insert(
    tx: Transaction, name: str, skeleton: str, password: str, role: Role, avatar: str, now_ms: int
) -> User | None:
    """A new member; None when somebody has that name, or one that looks like it."""
    row = tx.one(
        "INSERT INTO users (name, skeleton, password, role, avatar, created_ms) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (skeleton) DO NOTHING RETURNING id",
        (name, skeleton, password, role.value, avatar, now_ms),
    )
    return User(row[0], name, role, avatar) if row else None


def account(tx: Transaction, user_id: int) -> Account | None:
    return _account(
        tx.one("SELECT id, name, role, avatar, password, muted_until_ms, banned FROM users WHERE id = ?", (user_id,))
    )


def account_named(tx: Transaction, skeleton: str) -> Account | None:
    return _account(
        tx.one(
            "SELECT id, name, role, avatar, password, muted_until_ms, banned FROM users WHERE skeleton = ?", (skeleton,)
        )
    )


def members(tx: Transaction, after: int, limit: int) -> list[Member]:
    """The next `limit` members after this id."""
    rows = tx.all(
        "SELECT id, name, role, avatar, created_ms, (SELECT max(seen_ms) FROM sessions WHERE user_id = users.id),"
        " muted_until_ms, banned FROM users WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    return [
        Member(User(user_id, name, Role(role), avatar), created_ms, seen_ms, muted_until_ms, bool(banned))
        for user_id, name, role, avatar, created_ms, seen_ms, muted_until_ms, banned in rows
    ]


def set_password(tx: Transaction, user_id: int, password: str) -> None:
    tx.execute("UPDATE users SET password = ? WHERE id = ?", (password, user_id))


def set_avatar(tx: Transaction, user_id: int, avatar: str) -> None:
    tx.execute("UPDATE users SET avatar = ? WHERE id = ?", (avatar, user_id))


def set_role(tx: Transaction, user_id: int, role: Role) -> None:
    tx.execute("UPDATE users SET role = ? WHERE id = ?", (role.value, user_id))


def note_read(tx: Transaction, user_id: int, message_id: int) -> None:
    tx.execute("UPDATE users SET read_id = ? WHERE id = ? AND read_id < ?", (message_id, user_id, message_id))


def read_id(tx: Transaction, user_id: int) -> int:
    """The newest message that the member has seen; 0 for none."""
    row = tx.one("SELECT read_id FROM users WHERE id = ?", (user_id,))
    return row[0] if row else 0


def administrator_exists(tx: Transaction) -> bool:
    return tx.one("SELECT 1 FROM users WHERE role = 'administrator' LIMIT 1") is not None


def avatars(tx: Transaction) -> list[str]:
    return [row[0] for row in tx.all("SELECT avatar FROM users WHERE avatar <> ''")]


def _account(row: tuple[int, str, str, str, str, int, int] | None) -> Account | None:
    if row is None:
        return None
    user_id, name, role, avatar, password, muted_until_ms, banned = row
    return Account(User(user_id, name, Role(role), avatar), password, muted_until_ms, bool(banned))
