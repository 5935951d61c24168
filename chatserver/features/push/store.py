"""SQL for subscriptions that several use cases share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from enum import StrEnum

from chatserver.db.transaction import Transaction

# More devices than a person needs. A further subscription replaces the oldest.
SUBSCRIPTIONS_OF_MEMBER_MAX = 5


class PushKind(StrEnum):
    """The kinds of notification; each kind is a column."""

    OPENED = "opened"
    """An ordering window was opened."""
    CLOSES = "closes"
    """An ordering window closes in a minute."""
    NAMED = "named"
    """A message mentions the member, or answers one of the member's messages."""


@dataclass(frozen=True, slots=True)
class NotificationPreferences:
    """The notifications that a member wants on one device. `words`: with the text of the message.

    `quiet_from` and `quiet_to` are minutes after midnight in the room's time zone, both None for no quiet hours.
    `language` is that of the page.
    """

    language: str
    opened: bool
    closes: bool
    named: bool
    words: bool
    quiet_from: int | None
    quiet_to: int | None

    def is_quiet(self, minute: int) -> bool:
        """True for a `minute` after midnight within the quiet hours, which may last over midnight."""
        if self.quiet_from is None or self.quiet_to is None:
            return False
        if self.quiet_from <= self.quiet_to:
            return self.quiet_from <= minute < self.quiet_to
        return minute >= self.quiet_from or minute < self.quiet_to


@dataclass(frozen=True, slots=True)
class Address:
    """The endpoint of a browser, and the keys to encrypt for it."""

    endpoint: str
    public_key: bytes
    auth: bytes


@dataclass(frozen=True, slots=True)
class Subscription:
    id: int
    user_id: int
    wishes: NotificationPreferences


_WISHES = "language, opened, closes, named, words, quiet_from, quiet_to"
_SUBSCRIPTION = f"SELECT id, user_id, {_WISHES} FROM push_subscriptions"  # nosec B608 # constants


def put(
    tx: Transaction, user_id: int, session_id: int, address: Address, wishes: NotificationPreferences, now_ms: int
) -> None:
    """Store the subscription of a session, and delete any other subscription of this session or this endpoint.

    A subscription with the same endpoint and keys keeps its id.
    """
    keys = (address.endpoint, address.public_key, address.auth)
    tx.execute(
        "DELETE FROM push_subscriptions WHERE (session_id = ? OR endpoint = ?)"
        " AND NOT (session_id = ? AND endpoint = ? AND public_key = ? AND auth = ?)",
        (session_id, address.endpoint, session_id, *keys),
    )
    tx.execute(
        "INSERT INTO push_subscriptions (user_id, session_id, created_ms, endpoint, public_key, auth,"
        f" {_WISHES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # nosec B608 # constants
        " ON CONFLICT (session_id) DO UPDATE SET language = excluded.language, opened = excluded.opened,"
        " closes = excluded.closes, named = excluded.named, words = excluded.words, quiet_from = excluded.quiet_from,"
        " quiet_to = excluded.quiet_to",
        (user_id, session_id, now_ms, *keys, *astuple(wishes)),
    )
    tx.execute(
        "DELETE FROM push_subscriptions WHERE id IN"
        " (SELECT id FROM push_subscriptions WHERE user_id = ? ORDER BY id DESC LIMIT -1 OFFSET ?)",
        (user_id, SUBSCRIPTIONS_OF_MEMBER_MAX),
    )


def of_session(tx: Transaction, session_id: int) -> Subscription | None:
    row = tx.one(f"{_SUBSCRIPTION} WHERE session_id = ?", (session_id,))
    return _subscription(row) if row else None


def end(tx: Transaction, session_id: int) -> None:
    tx.execute("DELETE FROM push_subscriptions WHERE session_id = ?", (session_id,))


def of_kind(tx: Transaction, kind: PushKind) -> list[Subscription]:
    """All subscriptions to this kind."""
    return [_subscription(row) for row in tx.all(f"{_SUBSCRIPTION} WHERE {kind.value}")]


def of_members(tx: Transaction, kind: PushKind, user_ids: Iterable[int]) -> list[Subscription]:
    """The subscriptions of these members to this kind."""
    sql = f"{_SUBSCRIPTION} WHERE {kind.value} AND user_id IN (SELECT value FROM json_each(?))"  # nosec B608 # constants
    return [_subscription(row) for row in tx.all(sql, (json.dumps([*user_ids]),))]


def of_ids(tx: Transaction, ids: Iterable[int]) -> list[Subscription]:
    """The subscriptions with these ids that still exist."""
    sql = f"{_SUBSCRIPTION} WHERE id IN (SELECT value FROM json_each(?))"  # nosec B608 # constants
    return [_subscription(row) for row in tx.all(sql, (json.dumps([*ids]),))]


def addresses(tx: Transaction, ids: Iterable[int]) -> dict[int, Address]:
    """Subscription's id -> address, for the subscriptions with these ids that still exist."""
    sql = "SELECT id, endpoint, public_key, auth FROM push_subscriptions WHERE id IN (SELECT value FROM json_each(?))"
    return {row[0]: Address(*row[1:]) for row in tx.all(sql, (json.dumps([*ids]),))}


def forget(tx: Transaction, ids: Iterable[int]) -> None:
    """Delete subscriptions that are unknown to their push service now."""
    tx.execute("DELETE FROM push_subscriptions WHERE id IN (SELECT value FROM json_each(?))", (json.dumps([*ids]),))


def _subscription(row: tuple[int, int, str, int, int, int, int, int | None, int | None]) -> Subscription:
    subscription_id, user_id, language, opened, closes, named, words, quiet_from, quiet_to = row
    wishes = NotificationPreferences(
        language, bool(opened), bool(closes), bool(named), bool(words), quiet_from, quiet_to
    )
    return Subscription(subscription_id, user_id, wishes)
