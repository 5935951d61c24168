"""The rows of members: what several use cases share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.kept_rows import KeptRows
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, renames

# What an account is made of: a kept one is forgotten when one of these changes.
ACCOUNT_COLUMNS = "name, role, avatar, muted_until_ms, banned"
_ACCOUNT = f"SELECT id, {ACCOUNT_COLUMNS} FROM users"  # nosec B608 # constants
_PERSON = f"SELECT id, {ACCOUNT_COLUMNS}, password FROM users"  # nosec B608 # constants
_ROLES = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class Account:
    """A member, and what only the rules may know. `muted_until_ms` is 0 for never muted."""

    user: User
    muted_until_ms: int
    banned: bool

    def speaker(self, now_ms: int) -> User:
        """The member, who may post at `now_ms` (Unix ms). Raises DomainError: `banned`, `muted`."""
        if self.banned:
            raise DomainError(ErrorCode.BANNED)
        if self.muted_until_ms > now_ms:
            raise DomainError(ErrorCode.MUTED, until_ms=self.muted_until_ms)
        return self.user


@dataclass(frozen=True, slots=True)
class Person(Account):
    """The same with the hash of the password."""

    password: str


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
    return accounts(tx, {user_id}).get(user_id)


def accounts(tx: Transaction, user_ids: Set[int]) -> Mapping[int, Account]:
    """Those of `user_ids` that exist, by id, and maybe others. What was read is kept: see db/kept_rows.py.

    One query for many costs a third of a query for each.
    """
    kept: KeptRows[Account] | None = tx.batch.kept.get("users")
    if kept is None:
        kept = KeptRows()
    unknown = user_ids - kept.keys()
    if not unknown:
        return kept
    sql = f"{_ACCOUNT} WHERE id IN (SELECT value FROM json_each(?))"  # nosec B608 # constants
    rows = tx.all(sql, (json.dumps([*unknown]),))
    read = {row[0]: _account(row) for row in rows}
    known = {user_id: kept[user_id] for user_id in user_ids - unknown}
    kept.keep(read)
    return known | read


def account_named(tx: Transaction, skeleton: str) -> Account | None:
    row = tx.one(f"{_ACCOUNT} WHERE skeleton = ?", (skeleton,))
    return _account(row) if row else None


def is_free(tx: Transaction, skeleton: str, now_ms: int, user_id: int = 0) -> bool:
    """True where no member but `user_id` has a name of this skeleton, or gave it up less than 24 hours ago."""
    found = account_named(tx, skeleton)
    owners = {found.user.id if found else None, renames.holder(tx, skeleton, now_ms)}
    return owners <= {None, user_id}


def person_named(tx: Transaction, skeleton: str) -> Person | None:
    """Who may log in: a bot has no password."""
    return _person(tx.one(f"{_PERSON} WHERE skeleton = ?", (skeleton,)))


def person(tx: Transaction, user_id: int) -> Person | None:
    return _person(tx.one(f"{_PERSON} WHERE id = ?", (user_id,)))


def avatars(tx: Transaction) -> list[str]:
    """The names of all avatars' files."""
    return [row[0] for row in tx.all("SELECT avatar FROM users WHERE avatar <> ''")]


def _account(row: tuple[int, str, str, str, int, int]) -> Account:
    user_id, name, role, avatar, muted_until_ms, banned = row
    return Account(User(user_id, name, _ROLES[role], avatar), muted_until_ms, bool(banned))


def _person(row: tuple[int, str, str, str, int, int, str] | None) -> Person | None:
    if row is None:
        return None
    account = _account(row[:-1])
    return None if account.user.is_bot else Person(account.user, account.muted_until_ms, account.banned, row[-1])
