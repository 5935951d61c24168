"""The rows of bots. A token is stored as a SHA-256 hash; 256 random bits need no slow hash function."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Role, User
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import names
from chatserver.features.accounts import store as account_store

# The rate of a bot is in messages per 10 s: see messages/send_interval.py.
RATE, RATE_MAX = 10, 100

_BOT = (
    "SELECT u.id, u.name, u.avatar, b.token_hash IS NOT NULL, b.manages_windows, b.rate, coalesce(m.name, ''),"
    " b.created_ms, b.used_ms, u.muted_until_ms, u.banned"
    " FROM bots b JOIN users u ON u.id = b.user_id LEFT JOIN users m ON m.id = b.made_by"
)


@dataclass(frozen=True, slots=True)
class BotPermissions:
    """What a bot may do besides reading and posting, and how many messages it may post per 10 s."""

    manages_windows: bool = False
    rate: int = RATE


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot in use. `made_by` is a name; `used_ms` is None until its token is first used."""

    user: User
    has_token: bool
    powers: BotPermissions
    made_by: str
    created_ms: int
    used_ms: int | None
    muted_until_ms: int
    banned: bool


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def all_bots(tx: Transaction) -> list[Bot]:
    return [_bot(row) for row in tx.all(f"{_BOT} ORDER BY u.id")]


def bot(tx: Transaction, bot_id: int) -> Bot:
    """The bot with this id. Raises DomainError `not_found`."""
    row = tx.one(f"{_BOT} WHERE b.user_id = ?", (bot_id,))
    if row is None:
        raise DomainError(ErrorCode.NOT_FOUND, reason="bot")
    return _bot(row)


def bot_of(tx: Transaction, token_hash: bytes) -> Bot | None:
    row = tx.one(f"{_BOT} WHERE b.token_hash = ?", (token_hash,))
    return _bot(row) if row else None


def insert(tx: Transaction, name: str, token: str, powers: BotPermissions, maker: User, now_ms: int) -> Bot:
    """Add a bot. If a removed bot had this name, its member is used again, so it is the author of its old messages.

    Raises DomainError `name_taken`.
    """
    before = account_store.account_named(tx, names.skeleton(name))
    if before is not None and before.user.is_bot and before.user.name == name and not _is_in_use(tx, before.user):
        user_id = before.user.id
    else:
        user_id = account_store.add(tx, name, "", Role.BOT, "", now_ms).id
    tx.execute(
        "INSERT INTO bots (user_id, token_hash, manages_windows, rate, made_by, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (user_id, hash_of(token), powers.manages_windows, powers.rate, maker.id, now_ms),
    )
    return bot(tx, user_id)


def set_powers(tx: Transaction, bot_id: int, powers: BotPermissions) -> None:
    tx.execute(
        "UPDATE bots SET manages_windows = ?, rate = ? WHERE user_id = ?", (powers.manages_windows, powers.rate, bot_id)
    )


def set_token(tx: Transaction, bot_id: int, token: str | None) -> None:
    """Replace the token. If it is None, the bot has no token until it gets another one."""
    token_hash = None if token is None else hash_of(token)
    tx.execute("UPDATE bots SET token_hash = ?, used_ms = NULL WHERE user_id = ?", (token_hash, bot_id))


def set_used(tx: Transaction, bot_id: int, now_ms: int) -> None:
    tx.execute("UPDATE bots SET used_ms = ? WHERE user_id = ?", (now_ms, bot_id))


def remove(tx: Transaction, bot_id: int) -> None:
    """Remove the bot. The member's row stays, because its messages refer to it."""
    tx.execute("DELETE FROM bots WHERE user_id = ?", (bot_id,))


def _is_in_use(tx: Transaction, user: User) -> bool:
    return tx.one("SELECT 1 FROM bots WHERE user_id = ?", (user.id,)) is not None


def _bot(row: tuple[int, str, str, int, int, int, str, int, int | None, int, int]) -> Bot:
    user_id, name, avatar, has_token, manages_windows, rate, made_by, created_ms, used_ms, muted_until_ms, banned = row
    user, powers = User(user_id, name, Role.BOT, avatar), BotPermissions(bool(manages_windows), rate)
    return Bot(user, bool(has_token), powers, made_by, created_ms, used_ms, muted_until_ms, bool(banned))
