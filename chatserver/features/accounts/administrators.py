"""The operator's commands about members, and the rule for the first administrator."""

from __future__ import annotations

from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names, passwords, sessions, store
from chatserver.features.accounts.events import MemberChanged, MemberMuted
from chatserver.features.accounts.login_failures import LoginFailures
from chatserver.features.accounts.passwords import PasswordHasher
from chatserver.features.audit.record import AuditAct, record


class Administrators:
    """Checks no permission, because only the operator, who can access the data directory, can call an operation."""

    def __init__(self, database: Database, clock: Clock, hasher: PasswordHasher, failures: LoginFailures) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher
        self._failures = failures

    async def make_administrator(self, name: str, password: str | None) -> tuple[User, bool]:
        """Make the member of that name an administrator, unmuted and not banned, or add a new administrator.

        Returns the member and whether the member is new. If `password` is given, the member's sessions end. Raises
        DomainError: `name_invalid`; `password_weak`, also for a new member without a password; `name_taken` (with
        `name`) if a bot has this name, or another member has a name that looks like it.
        """
        names.check(name, privileged=True)
        name = names.normalise(name)
        if password is not None:
            passwords.check_strength(password, name)
        hashed = await self._hasher.hash(password) if password is not None else None
        return await self._database.run(lambda tx: self._make_administrator(tx, name, hashed))

    async def reset_password(self, name: str, password: str) -> tuple[User, int]:
        """Set a member's password and end all sessions of that member.

        Returns the member and the number of ended sessions. Raises DomainError: `not_found`, `password_weak`.
        """
        key = names.lookup_key(name)
        passwords.check_strength(password, name)
        hashed = await self._hasher.hash(password)
        user, ended = await self._database.run(lambda tx: _reset_password(tx, key, hashed, self._clock.now_ms()))
        self._failures.clear(key)
        return user, ended

    async def on_create_admin(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments: `name`, and `password` or null. Answers `name` and whether the member was `created`."""
        user, is_new = await self.make_administrator(arguments["name"], arguments.get("password"))
        return {"name": user.name, "created": is_new}

    async def on_reset_password(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Arguments: `name` and `password`. Answers `name` and the number of `sessions_ended`."""
        user, ended = await self.reset_password(arguments["name"], arguments["password"])
        return {"name": user.name, "sessions_ended": ended}

    def _make_administrator(self, tx: Transaction, name: str, hashed: str | None) -> tuple[User, bool]:
        now_ms = self._clock.now_ms()
        account = store.account_named(tx, names.skeleton(name))
        if account is None:
            if hashed is None:
                raise DomainError(ErrorCode.PASSWORD_WEAK)
            user = store.add(tx, name, hashed, Role.ADMINISTRATOR, "", now_ms)
            record(tx, now_ms, AuditAct.MEMBER_CREATE_ADMIN, None, user.id)
            return user, True
        if account.user.name != name or account.user.is_bot:
            raise DomainError(ErrorCode.NAME_TAKEN, name=account.user.name)
        user = User(account.user.id, name, Role.ADMINISTRATOR, account.user.avatar)
        tx.execute("UPDATE users SET role = 'administrator', muted_until_ms = 0, banned = 0 WHERE id = ?", (user.id,))
        tx.announce(MemberChanged(user))
        if account.muted_until_ms:
            tx.announce(MemberMuted(user.id, 0))
        record(tx, now_ms, AuditAct.MEMBER_CREATE_ADMIN, None, user.id)
        if hashed is not None:
            _set_password(tx, user.id, hashed)
            record(tx, now_ms, AuditAct.MEMBER_RESET_PASSWORD, None, user.id)
        return user, False

    OPERATIONS = {"create-admin": on_create_admin, "reset-password": on_reset_password}


def exists(tx: Transaction) -> bool:
    """True if the room has an administrator. A room that has one always keeps at least one (see moderate.py)."""
    return tx.one("SELECT 1 FROM users WHERE role = 'administrator' LIMIT 1") is not None


def add_first(tx: Transaction, name: str, hashed: str, now_ms: int) -> User:
    """Add the first administrator. Raises DomainError: `forbidden` if there is one already, `name_taken`."""
    if exists(tx):
        raise DomainError(ErrorCode.FORBIDDEN)
    user = store.add(tx, name, hashed, Role.ADMINISTRATOR, "", now_ms)
    record(tx, now_ms, AuditAct.MEMBER_CREATE_ADMIN, None, user.id)
    return user


def _reset_password(tx: Transaction, key: str, hashed: str, now_ms: int) -> tuple[User, int]:
    account = store.person_named(tx, key)
    if account is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    record(tx, now_ms, AuditAct.MEMBER_RESET_PASSWORD, None, account.user.id)
    return account.user, _set_password(tx, account.user.id, hashed)


def _set_password(tx: Transaction, user_id: int, hashed: str) -> int:
    """Set the hash of the password, and end all sessions. Returns the number of ended sessions."""
    tx.execute("UPDATE users SET password = ? WHERE id = ?", (hashed, user_id))
    return sessions.end_others(tx, user_id)
