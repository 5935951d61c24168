"""The rows of the audit log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chatserver.db.transaction import Transaction

OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Entry:
    """`by` is None for the operator. `user` is the affected member, or None."""

    id: int
    at_ms: int
    act: str
    by: Actor | None
    user: Actor | None
    details: dict[str, Any]
    device: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`who` is a member's id, OPERATOR, or "" for all. `what` is an act, a kind of acts, or "" for all."""

    who: str = ""
    what: str = ""

    def sql(self) -> tuple[str, dict[str, str]]:
        """The SQL condition, and its values by name."""
        who = {"": "1", OPERATOR: "a.done_by IS NULL"}.get(self.who, "a.done_by = CAST(:who AS INTEGER)")
        what = "(a.act = :what OR a.act GLOB :what || '.*')" if self.what else "1"
        return f"{who} AND {what}", {"who": self.who, "what": self.what}


def entries(tx: Transaction, wanted: Filter, before: int, limit: int) -> list[Entry]:
    """The newest `limit` entries with an id below `before`, the newest first."""
    condition, values = wanted.sql()
    sql = (
        "SELECT a.id, a.at_ms, a.act, a.done_by, d.name, a.user_id, u.name, a.details, a.device"  # nosec B608 # constants
        " FROM audit a LEFT JOIN users d ON d.id = a.done_by LEFT JOIN users u ON u.id = a.user_id"
        f" WHERE a.id < :before AND {condition} ORDER BY a.id DESC LIMIT :limit"
    )
    return [_entry(row) for row in tx.all(sql, {**values, "before": before, "limit": limit})]


def actors(tx: Transaction) -> list[Actor]:
    """All members who have done an act in the log, sorted by name."""
    rows = tx.all("SELECT DISTINCT u.id, u.name FROM audit a JOIN users u ON u.id = a.done_by ORDER BY u.name")
    return [Actor(*row) for row in rows]


def erase_before(tx: Transaction, at_ms: int) -> None:
    tx.execute("DELETE FROM audit WHERE at_ms < ?", (at_ms,))


def oldest_ms(tx: Transaction) -> int | None:
    at_ms: int | None = tx.one("SELECT min(at_ms) FROM audit")[0]
    return at_ms


def _entry(row: tuple[int, int, str, int | None, str | None, int | None, str | None, str, str]) -> Entry:
    entry_id, at_ms, act, done_by, by_name, user_id, user_name, details, device = row
    by = Actor(done_by, by_name or "") if done_by else None
    user = Actor(user_id, user_name or "") if user_id else None
    return Entry(entry_id, at_ms, act, by, user, json.loads(details), device)
