"""The rows of members: what several use cases share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, renames

_ACCOUNT = "SELECT id, name, role, avatar, password, muted_until_ms, banned FROM users"
_ROLES = {role.value: role for role in Role}


@dataclass(slots=True)
class Account:
    """A member, and what only the rules may know. `password` is its hash; `muted_until_ms` is 0 for never muted."""

    user: User
    password: str
    muted_until_ms: int
    banned: bool


def add(tx: Transaction, name: str, password: str, role: Role, avatar: str, now_ms: int) -> User:
    """A new member with this hash of a password.

    Raises DomainError `name_taken` when another member has that name or one that looks like it, or gave it up less than
    24 hours ago.
    """
    user = insert(tx, name, names.skeleton(name), password, role, avatar, now_ms)
    if user is None:
        raise DomainError(ErrorCode.NAME_TAKEN)
    return user


def insert(
    tx: Transaction, name: str, skeleton: str, password: str, role: Role, avatar: str, now_ms: int
) -> User | None:
    """A new member; None when another member has that skeleton, or gave it up less than 24 hours ago."""
    if renames.holder(tx, skeleton, now_ms) is not None:
        return None
    row = tx.one(
        "INSERT INTO users (name, skeleton, password, role, avatar, created_ms) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (skeleton) DO NOTHING RETURNING id",
        (name, skeleton, password, role.value, avatar, now_ms),
    )
    return User(row[0], name, role, avatar) if row else None


def account(tx: Transaction, user_id: int) -> Account | None:
    return _account(tx.one(f"{_ACCOUNT} WHERE id = ?", (user_id,)))


def accounts(tx: Transaction, user_ids: Iterable[int]) -> dict[int, Account]:
    """Those that exist, by id. One query for many costs a third of a query for each."""
    sql = f"{_ACCOUNT} WHERE id IN (SELECT value FROM json_each(?))"  # nosec B608 # constants
    rows = tx.all(sql, (json.dumps([*user_ids]),))
    return {row[0]: found for row in rows if (found := _account(row))}


def account_named(tx: Transaction, skeleton: str) -> Account | None:
    return _account(tx.one(f"{_ACCOUNT} WHERE skeleton = ?", (skeleton,)))


def is_free(tx: Transaction, skeleton: str, now_ms: int, user_id: int = 0) -> bool:
    """True where no member but `user_id` has a name of this skeleton, or gave it up less than 24 hours ago."""
    found = account_named(tx, skeleton)
    owners = {found.user.id if found else None, renames.holder(tx, skeleton, now_ms)}
    return owners <= {None, user_id}


def person_named(tx: Transaction, skeleton: str) -> Account | None:
    """The same for who may log in: a bot has no password."""
    account = account_named(tx, skeleton)
    return account if account and not account.user.is_bot else None


def avatars(tx: Transaction) -> list[str]:
    """The names of all avatars' files."""
    return [row[0] for row in tx.all("SELECT avatar FROM users WHERE avatar <> ''")]


def _account(row: tuple[int, str, str, str, str, int, int] | None) -> Account | None:
    if row is None:
        return None
    user_id, name, role, avatar, password, muted_until_ms, banned = row
    return Account(User(user_id, name, _ROLES[role], avatar), password, muted_until_ms, bool(banned))
