"""SQL for planned windows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import encode_value
from chatserver.core.model import Role, User
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import offer, template_store
from chatserver.features.ordering.offer import Offer
from chatserver.features.planning.recurrence import Repeat, Schedule

# A plan holds up to 50 items, at most 12 KB.
PLANS_MAX = 50


class Outcome(StrEnum):
    """The result of an opening. The last four mean that the member of the plan, or the missing template, prevented
    it."""

    OPENED = "opened"
    SKIPPED = "skipped"
    MISSED = "missed"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    BANNED = "banned"
    MUTED = "muted"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Content:
    """The offer of a plan: the template `template_id`, or else `offered`.

    `seconds`: the plan's own length. If it is None, the template's length is used, else the setting.
    """

    offered: Offer = field(default_factory=Offer)
    template_id: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`next_day` and `opens_ms` (Unix ms): the next opening, None if there is no further opening. `last`: the opening
    before (Unix ms) and its outcome. `by`: the member who planned it, in whose name it opens.
    """

    id: int
    content: Content
    schedule: Schedule
    by: User
    next_day: date | None
    opens_ms: int | None
    last: tuple[int, Outcome] | None = None


def offered(tx: Transaction, content: Content) -> Offer:
    """The offer that would be opened now. Raises DomainError `not_found` if its template was removed."""
    if content.template_id is None:
        return content.offered._replace(seconds=content.seconds)
    found = template_store.find(tx, content.template_id)
    return found._replace(seconds=content.seconds or found.seconds)


def find(tx: Transaction, plan_id: int) -> Plan:
    """The plan with this id. Raises DomainError `not_found`."""
    row = tx.one(f"{_PLAN} WHERE p.id = ?", (plan_id,))
    if row is None:
        raise DomainError(ErrorCode.NOT_FOUND, reason="plan")
    return _plan(row)


def listed(tx: Transaction) -> list[Plan]:
    """All plans: the next plan to open first, plans that will not open again last."""
    return [_plan(row) for row in tx.all(f"{_PLAN} ORDER BY p.opens_ms IS NULL, p.opens_ms, p.id")]


def ahead(tx: Transaction) -> list[Plan]:
    """The plans that are still to open, the next plan first."""
    return [_plan(row) for row in tx.all(f"{_PLAN} WHERE p.opens_ms IS NOT NULL ORDER BY p.opens_ms, p.id")]


def due(tx: Transaction, now_ms: int) -> list[Plan]:
    """The plans that are due at `now_ms` (Unix ms), the earliest first."""
    return [_plan(row) for row in tx.all(f"{_PLAN} WHERE p.opens_ms <= ? ORDER BY p.opens_ms, p.id", (now_ms,))]


def insert(
    tx: Transaction, content: Content, schedule: Schedule, by: int, next_day: date, opens_ms: int, now_ms: int
) -> int:
    """Store a new plan and return its id. Raises DomainError `over_limit`."""
    if tx.one("SELECT count(*) FROM plans")[0] >= PLANS_MAX:
        raise DomainError(ErrorCode.OVER_LIMIT, item=None, limit=PLANS_MAX, have=PLANS_MAX, reason="plans")
    row = tx.one(
        "INSERT INTO plans (title, note, items, template_id, seconds, repeat, at, day, weekdays, next_day, opens_ms,"
        " changed_ms, planned_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (*_values(content, schedule), next_day.isoformat(), opens_ms, now_ms, by),
    )
    plan_id: int = row[0]
    return plan_id


def change(
    tx: Transaction,
    plan_id: int,
    content: Content,
    schedule: Schedule,
    by: int,
    next_day: date | None,
    opens_ms: int | None,
    now_ms: int,
) -> None:
    tx.execute(
        "UPDATE plans SET title = ?, note = ?, items = ?, template_id = ?, seconds = ?, repeat = ?, at = ?, day = ?,"
        " weekdays = ?, next_day = ?, opens_ms = ?, changed_ms = ?, planned_by = ? WHERE id = ?",
        (*_values(content, schedule), next_day and next_day.isoformat(), opens_ms, now_ms, by, plan_id),
    )


def put_next(
    tx: Transaction, plan_id: int, next_day: date | None, opens_ms: int | None, last: tuple[int, Outcome] | None
) -> None:
    """Store the next opening, and the outcome of the opening before."""
    last_ms, outcome = last or (None, "")
    tx.execute(
        "UPDATE plans SET next_day = ?, opens_ms = ?, last_ms = ?, last_outcome = ? WHERE id = ?",
        (next_day and next_day.isoformat(), opens_ms, last_ms, outcome, plan_id),
    )


def remove(tx: Transaction, plan_id: int) -> None:
    tx.execute("DELETE FROM plans WHERE id = ?", (plan_id,))


_PLAN = (
    "SELECT p.id, p.title, p.note, p.items, p.template_id, p.seconds, p.repeat, p.at, p.day, p.weekdays, p.next_day,"
    " p.opens_ms, p.last_ms, p.last_outcome, u.id, u.name, u.role, u.avatar FROM plans p"
    " JOIN users u ON u.id = p.planned_by"
)


def _values(content: Content, schedule: Schedule) -> tuple[Any, ...]:
    given = content.offered
    return (
        given.title, given.note, encode_value(given.items_json()), content.template_id, content.seconds,
        schedule.repeat.value, schedule.at, schedule.day and schedule.day.isoformat(),
        "".join(map(str, schedule.weekdays)),
    )  # fmt: skip


def _plan(row: tuple[Any, ...]) -> Plan:
    plan_id, title, note, items, template_id, seconds, repeat, at, day, weekdays, next_day, opens_ms, *rest = row
    last_ms, outcome, user_id, name, role, avatar = rest
    return Plan(
        plan_id,
        Content(offer.read({"title": title, "note": note, "items": json.loads(items)}), template_id, seconds),
        Schedule(Repeat(repeat), at, day and date.fromisoformat(day), tuple(map(int, weekdays))),
        User(user_id, name, Role(role), avatar),
        next_day and date.fromisoformat(next_day),
        opens_ms,
        None if last_ms is None else (last_ms, Outcome(outcome)),
    )
