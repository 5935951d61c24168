"""Checks what a member may do. The present row of the member counts, never a state that the caller read earlier."""

from __future__ import annotations

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import store


def require_member(tx: Transaction, user: User) -> User:
    """The member as stored. Raises DomainError: `login_required` if there is no such member, `banned`."""
    return _allowed(store.account(tx, user.id)).user


def require_speaker(tx: Transaction, user: User, now_ms: int) -> User:
    """The member as stored, who may post at `now_ms` (Unix ms).

    Raises DomainError as `require_member` does, and `muted`.
    """
    return existing(store.account(tx, user.id)).speaker(now_ms)


def existing(account: store.Account | None) -> store.Account:
    """The account that was looked up. Raises DomainError `login_required` if there is no such member."""
    if account is None:
        raise DomainError(ErrorCode.LOGIN_REQUIRED)
    return account


def require_administrator(tx: Transaction, user: User) -> User:
    """The administrator as stored.

    Raises DomainError as `require_member` does, and `forbidden` for any other member.
    """
    actor = require_member(tx, user)
    if not actor.is_administrator:
        raise DomainError(ErrorCode.FORBIDDEN)
    return actor


def require_speaking_administrator(tx: Transaction, user: User, now_ms: int) -> User:
    """The administrator as stored, who may post at `now_ms` (Unix ms).

    Raises DomainError as `require_administrator` does, and `muted`.
    """
    return existing(store.account(tx, require_administrator(tx, user).id)).speaker(now_ms)


def require_window_manager(tx: Transaction, user: User, now_ms: int) -> User:
    """The member as stored, who may open and close ordering windows at `now_ms`: an administrator, or a permitted bot.

    Raises as `require_speaking_administrator` does.
    """
    actor = require_member(tx, user)
    if not actor.is_administrator and not _manages_windows(tx, actor):
        raise DomainError(ErrorCode.FORBIDDEN)
    return existing(store.account(tx, actor.id)).speaker(now_ms)


def require_buyer(tx: Transaction, user: User, now_ms: int) -> User:
    """The member as stored, who may order at `now_ms`. Raises as `require_speaker` does, and `forbidden` for a bot."""
    return existing(store.account(tx, user.id)).buyer(now_ms)


def is_banned(tx: Transaction, user: User) -> bool:
    account = store.account(tx, user.id)
    return account is not None and account.banned


def bot_rate(tx: Transaction, bot: User) -> int:
    """How many messages the bot may post per 10 s. Raises DomainError `login_required` if it has no token."""
    row = tx.one("SELECT rate FROM bots WHERE user_id = ? AND token_hash IS NOT NULL", (bot.id,))
    if row is None:
        raise DomainError(ErrorCode.LOGIN_REQUIRED, reason="token")
    return int(row[0])


def _manages_windows(tx: Transaction, user: User) -> bool:
    row = tx.one("SELECT manages_windows FROM bots WHERE user_id = ?", (user.id,))
    return row is not None and bool(row[0])


def _allowed(account: store.Account | None) -> store.Account:
    account = existing(account)
    if account.banned:
        raise DomainError(ErrorCode.BANNED)
    return account
