"""The members: their names, their passwords' hashes, their roles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from chatserver.core.model import Role, User
from chatserver.db.transaction import Transaction

_MEMBER = (
    "SELECT id, name, role, avatar, created_ms, (SELECT max(seen_ms) FROM sessions WHERE user_id = users.id),"
    " muted_until_ms, banned FROM users"
)

# Who acts is asked in the WHERE itself: an administrator, not banned, and not on themself.
_BY_ADMINISTRATOR = (
    "WHERE id = :member AND id <> :actor"
    " AND EXISTS (SELECT 1 FROM users a WHERE a.id = :actor AND a.role = 'administrator' AND a.banned = 0)"
)

_ROLES = {role.value: role for role in Role}


@dataclass(slots=True)
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


def accounts(tx: Transaction, user_ids: Iterable[int]) -> dict[int, Account]:
    """Those that there are, by id. Together they cost a third of what each costs alone."""
    rows = tx.all(
        "SELECT id, name, role, avatar, password, muted_until_ms, banned FROM users"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps([*user_ids]),),
    )
    return {row[0]: found for row in rows if (found := _account(row))}


def account_named(tx: Transaction, skeleton: str) -> Account | None:
    return _account(
        tx.one(
            "SELECT id, name, role, avatar, password, muted_until_ms, banned FROM users WHERE skeleton = ?", (skeleton,)
        )
    )


def members(tx: Transaction, after: int, limit: int, part: str = "") -> list[Member]:
    """The next `limit` members after this id, those alone whose skeleton holds `part`."""
    rows = tx.all(
        f"{_MEMBER} WHERE id > ? AND instr(skeleton, ?) > 0 ORDER BY id LIMIT ?",
        (after, part, limit),
    )
    return [_member(row) for row in rows]


def member(tx: Transaction, user_id: int) -> Member | None:
    row = tx.one(f"{_MEMBER} WHERE id = ?", (user_id,))
    return _member(row) if row else None


def highest_cost(tx: Transaction) -> int:
    """Of the passwords' hashes, "$2b$12$…": 12. 0 where nobody is."""
    row = tx.one("SELECT max(CAST(substr(password, 5, 2) AS INTEGER)) FROM users")
    return (row[0] or 0) if row else 0


def set_password(tx: Transaction, user_id: int, password: str) -> None:
    tx.execute("UPDATE users SET password = ? WHERE id = ?", (password, user_id))


def replace_password(tx: Transaction, user_id: int, before: str, password: str) -> bool:
    """The same, if the hash is still `before`. False when somebody was faster, or the member is banned."""
    done = tx.execute(
        "UPDATE users SET password = ? WHERE id = ? AND password = ? AND banned = 0", (password, user_id, before)
    )
    return done.rowcount > 0


def set_avatar(tx: Transaction, user_id: int, avatar: str) -> None:
    tx.execute("UPDATE users SET avatar = ? WHERE id = ?", (avatar, user_id))


def make_administrator(tx: Transaction, user_id: int) -> None:
    """The operator's word: also for somebody who was muted or banned."""
    tx.execute("UPDATE users SET role = 'administrator', muted_until_ms = 0, banned = 0 WHERE id = ?", (user_id,))


def mute(tx: Transaction, user_id: int, actor_id: int, until_ms: int) -> bool:
    """Not to be heard until then; 0: to be heard again. False when this actor may not, as below."""
    sql = f"UPDATE users SET muted_until_ms = :value {_BY_ADMINISTRATOR}"  # nosec B608 # our own words
    done = tx.execute(sql, {"value": until_ms, "member": user_id, "actor": actor_id})
    return done.rowcount > 0


def set_banned(tx: Transaction, user_id: int, actor_id: int, banned: bool) -> bool:
    sql = f"UPDATE users SET banned = :value {_BY_ADMINISTRATOR}"  # nosec B608 # our own words
    done = tx.execute(sql, {"value": banned, "member": user_id, "actor": actor_id})
    return done.rowcount > 0


def give_role(tx: Transaction, user_id: int, actor_id: int, role: Role) -> bool:
    """False too for a member who is banned."""
    sql = f"UPDATE users SET role = :value {_BY_ADMINISTRATOR} AND banned = 0"  # nosec B608 # our own words
    done = tx.execute(sql, {"value": role.value, "member": user_id, "actor": actor_id})
    return done.rowcount > 0


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
    return Account(User(user_id, name, _ROLES[role], avatar), password, muted_until_ms, bool(banned))


def _member(row: tuple[int, str, str, str, int, int | None, int, int]) -> Member:
    user_id, name, role, avatar, created_ms, seen_ms, muted_until_ms, banned = row
    return Member(User(user_id, name, Role(role), avatar), created_ms, seen_ms, muted_until_ms, bool(banned))
