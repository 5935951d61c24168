"""Who is acting, as the database knows them at this moment: power comes from the row, not from the caller."""

from __future__ import annotations

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store


def member(tx: Transaction, user: User) -> User:
    """The member behind `user`. Refuses with `login_required` when there is none, `banned` when banned."""
    account = store.account(tx, user.id)
    if account is None:
        raise DomainError(ErrorCode.LOGIN_REQUIRED)
    if account.banned:
        raise DomainError(ErrorCode.BANNED)
    return account.user


def speaker(tx: Transaction, user: User, now_ms: int) -> User:
    """The same, for somebody who wants to be heard. Refuses with `muted` besides."""
    return may_speak(store.account(tx, user.id), now_ms)


def may_speak(account: store.Account | None, now_ms: int) -> User:
    """The same, of an account that has just been read."""
    if account is None:
        raise DomainError(ErrorCode.LOGIN_REQUIRED)
    if account.banned:
        raise DomainError(ErrorCode.BANNED)
    if account.muted_until_ms > now_ms:
        raise DomainError(ErrorCode.MUTED, until_ms=account.muted_until_ms)
    return account.user


def administrator(tx: Transaction, user: User) -> User:
    """The same, for an administrator's act. Refuses everybody else with `forbidden`."""
    actor = member(tx, user)
    if not actor.is_administrator:
        raise DomainError(ErrorCode.FORBIDDEN)
    return actor
