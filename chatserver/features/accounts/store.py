"""The rows of members: queries that several use cases share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.kept_rows import KeptRows
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, rename_store

# The columns of an Account. A cached account is dropped when one of these columns changes.
ACCOUNT_COLUMNS = "name, role, avatar, muted_until_ms, banned"
_ACCOUNT = f"SELECT id, {ACCOUNT_COLUMNS} FROM users"  # nosec B608 # constants
_PERSON = f"SELECT id, {ACCOUNT_COLUMNS}, password FROM users"  # nosec B608 # constants
_ROLES = {role.value: role for role in Role}


@dataclass(frozen=True, slots=True)
class Account:
    """A member, with fields that only the rules may use and no reader sees. `muted_until_ms` is 0 for never muted."""

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

    def buyer(self, now_ms: int) -> User:
        """The member, who may order at `now_ms` (Unix ms). Raises as `speaker` does, and `forbidden` for a bot."""
        user = self.speaker(now_ms)
        if user.role is Role.BOT:
            raise DomainError(ErrorCode.FORBIDDEN)
        return user


@dataclass(frozen=True, slots=True)
class Person(Account):
    """An account with the hash of its password."""

    password: str


def add(tx: Transaction, name: str, password: str, role: Role, avatar: str, now_ms: int) -> User:
    """Add a member. `password` is the hash of the password.

    Raises DomainError `name_taken` if another member has that name or one that looks like it, or gave it up less than
    24 hours ago.
    """
    user = insert(tx, name, names.skeleton(name), password, role, avatar, now_ms)
    if user is None:
        raise DomainError(ErrorCode.NAME_TAKEN)
    return user


def insert(
    tx: Transaction, name: str, skeleton: str, password: str, role: Role, avatar: str, now_ms: int
) -> User | None:
    """Add a member; None if another member has a name with that skeleton, or gave it up less than 24 hours ago."""
    if rename_store.holder(tx, skeleton, now_ms) is not None:
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
    """The accounts of those `user_ids` that exist, by id, and maybe more. Accounts are cached: see db/kept_rows.py.

    One query for many accounts costs a third of one query for each.
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
    """True if no member except `user_id` has a name with this skeleton, or gave it up less than 24 hours ago."""
    found = account_named(tx, skeleton)
    owners = {found.user.id if found else None, rename_store.holder(tx, skeleton, now_ms)}
    return owners <= {None, user_id}


def person_named(tx: Transaction, skeleton: str) -> Person | None:
    """The member with this skeleton, with the password's hash; None for a bot, which has no password."""
    return _person(tx.one(f"{_PERSON} WHERE skeleton = ?", (skeleton,)))


def person(tx: Transaction, user_id: int) -> Person | None:
    return _person(tx.one(f"{_PERSON} WHERE id = ?", (user_id,)))


def avatars(tx: Transaction) -> list[str]:
    """The names of the files of all avatars."""
    return [row[0] for row in tx.all("SELECT avatar FROM users WHERE avatar <> ''")]


def _account(row: tuple[int, str, str, str, int, int]) -> Account:
    user_id, name, role, avatar, muted_until_ms, banned = row
    return Account(User(user_id, name, _ROLES[role], avatar), muted_until_ms, bool(banned))


def _person(row: tuple[int, str, str, str, int, int, str] | None) -> Person | None:
    if row is None:
        return None
    account = _account(row[:-1])
    return None if account.user.is_bot else Person(account.user, account.muted_until_ms, account.banned, row[-1])
