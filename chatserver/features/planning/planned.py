"""Planned windows: administrators make, change and remove plans; the server opens them at the time in their rows.

A plan opens in the name of the member who planned it, by the rule of `start`. While another window is open, the plan
waits, for at most its own length. An opening that was missed by more than LATE_MS, because the server was down, does
not take place.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import Code, DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts.events import MemberChanged, MemberMuted, SessionsEnded
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.ordering import answers, offer, store, template_store
from chatserver.features.ordering.events import TemplatesChanged, WindowChanged
from chatserver.features.ordering.offer import Offer
from chatserver.features.ordering.window import OrderingWindows
from chatserver.features.planning import plan_store, recurrence
from chatserver.features.planning.plan_store import Content, Outcome, Plan
from chatserver.features.planning.recurrence import Schedule

log = logging.getLogger(__name__)

# An opening that was missed by at most this time takes place late.
LATE_MS = 600_000
_OUTCOMES: dict[Code, Outcome] = {
    ErrorCode.FORBIDDEN: Outcome.FORBIDDEN,
    ErrorCode.BANNED: Outcome.BANNED,
    ErrorCode.MUTED: Outcome.MUTED,
    ErrorCode.NOT_FOUND: Outcome.TEMPLATE,
}


@dataclass(frozen=True, slots=True)
class NextWindow:
    """The next planned window, as all readers get it. `zone` is the room's time zone, in which it was planned."""

    title: str
    opens_ms: int
    by: str
    zone: str


@dataclass(frozen=True, slots=True)
class PlannedChanged(Event):
    """The next planned window has changed; None if there is none. Frame `planned`."""

    next: NextWindow | None

    def as_json(self) -> dict[str, Any]:
        return {"planned": asdict(self.next) if self.next else None}

    def frame(self) -> bytes:
        return json.dumps({"type": "planned", **self.as_json()})


class PlannedWindows:
    """Call `load` before `hello_fields`."""

    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, windows: OrderingWindows) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._windows = windows
        # The next window according to the last event, and the window that the database's thread announced last.
        self._current = PlannedChanged(None)
        self._announced: NextWindow | None = None

    async def load(self) -> None:
        """Compute all times again, by the present time zone, and find the next window. Call before the first event."""
        now_ms = self._clock.now_ms()
        self._current = PlannedChanged(await self._database.run(lambda tx: self._load(tx, now_ms)))

    def hello_fields(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        return self._current.as_json()

    async def listed(self) -> list[dict[str, Any]]:
        """All plans as JSON, the next plan first."""
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: [as_json(tx, plan, now_ms) for plan in plan_store.listed(tx)])

    async def make(self, actor: User, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Plan a window: `repeat`, `at`, `date` or `weekdays`, and its offer. Returns the plan as JSON.

        The offer is that of the `template` or of the `window` with that id, or `title`, `note` and `items`, for
        `seconds`. Raises DomainError: `forbidden`, `banned`, `bad_request` (`field`), `not_found`, `gone`,
        `over_limit`.
        """
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._make(tx, actor, fields, now_ms))

    async def change(self, actor: User, plan_id: int, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Change the values that `fields` names. From then on the plan belongs to `actor`. Raises DomainError as `make`
        does."""
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._change(tx, actor, plan_id, fields, now_ms))

    async def remove(self, actor: User, plan_id: int) -> dict[str, Any]:
        """Remove a plan and return it as it was. Raises DomainError: `forbidden`, `banned`, `not_found`."""
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._remove(tx, actor, plan_id, now_ms))

    async def skip(self, actor: User, plan_id: int, opens_ms: int | None = None) -> dict[str, Any]:
        """Skip only the next opening. If `opens_ms` is given and differs from the next opening, do nothing.

        Raises DomainError: `forbidden`, `banned`, `not_found`, and `bad_request` (`act`) for a plan of one date.
        """
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._skip(tx, actor, plan_id, opens_ms, now_ms))

    async def settle(self) -> None:
        """Open each plan that is due, or record why it does not open."""
        asked_ms = self._clock.now_ms()
        for plan, outcome in await self._database.run(lambda tx: self._settle(tx, asked_ms)):
            log.warning("planned window %d (%s) was not opened: %s", plan.id, self._local(plan), outcome.value)

    async def next_opening(self) -> int | None:
        """When `settle` has to run next, in Unix ms; None if nothing is planned."""
        now_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._next_opening(tx, now_ms))

    def on_changed(self, event: PlannedChanged) -> None:
        self._current = event

    def _load(self, tx: Transaction, now_ms: int) -> NextWindow | None:
        for plan in plan_store.ahead(tx):
            assert plan.next_day
            opens_ms = plan.schedule.opening(plan.next_day, self._settings.now.timezone)
            if opens_ms != plan.opens_ms:
                plan_store.put_next(tx, plan.id, plan.next_day, opens_ms, plan.last)
        self._announced = self._next_window(tx, plan_store.ahead(tx), now_ms)
        return self._announced

    def _make(self, tx: Transaction, actor: User, fields: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
        actor = permissions.require_administrator(tx, actor)
        schedule, content = recurrence.read(fields), _content(tx, fields, Content())
        day, opens_ms = self._opening_after(schedule, now_ms)
        plan_id = plan_store.insert(tx, content, schedule, actor.id, day, opens_ms, now_ms)
        record(tx, now_ms, AuditAct.PLAN_MAKE, actor, plan=plan_id, opens_ms=opens_ms)
        return self._shown(tx, plan_store.find(tx, plan_id), now_ms)

    def _change(
        self, tx: Transaction, actor: User, plan_id: int, fields: Mapping[str, Any], now_ms: int
    ) -> dict[str, Any]:
        actor = permissions.require_administrator(tx, actor)
        plan = plan_store.find(tx, plan_id)
        schedule = recurrence.read({**plan.schedule.as_json(), **fields})
        content = _content(tx, fields, plan.content)
        next_day, opens_ms = plan.next_day, plan.opens_ms
        # If only the offer changes, a skipped opening stays skipped.
        if schedule != plan.schedule or opens_ms is None:
            next_day, opens_ms = self._opening_after(schedule, now_ms)
        plan_store.change(tx, plan_id, content, schedule, actor.id, next_day, opens_ms, now_ms)
        record(tx, now_ms, AuditAct.PLAN_CHANGE, actor, plan=plan_id, opens_ms=opens_ms)
        return self._shown(tx, plan_store.find(tx, plan_id), now_ms)

    def _remove(self, tx: Transaction, actor: User, plan_id: int, now_ms: int) -> dict[str, Any]:
        actor = permissions.require_administrator(tx, actor)
        plan = plan_store.find(tx, plan_id)
        plan_store.remove(tx, plan_id)
        record(tx, now_ms, AuditAct.PLAN_REMOVE, actor, plan=plan_id)
        return self._shown(tx, plan, now_ms)

    def _skip(self, tx: Transaction, actor: User, plan_id: int, opens_ms: int | None, now_ms: int) -> dict[str, Any]:
        actor = permissions.require_administrator(tx, actor)
        plan = plan_store.find(tx, plan_id)
        if plan.schedule.day:
            raise DomainError(ErrorCode.BAD_REQUEST, field="act")
        if plan.opens_ms is None or opens_ms not in (None, plan.opens_ms):
            return as_json(tx, plan, now_ms)
        self._advance(tx, plan, plan.opens_ms, Outcome.SKIPPED, now_ms)
        record(tx, now_ms, AuditAct.PLAN_SKIP, actor, plan=plan_id, opens_ms=plan.opens_ms)
        return self._shown(tx, plan_store.find(tx, plan_id), now_ms)

    def _shown(self, tx: Transaction, plan: Plan, now_ms: int) -> dict[str, Any]:
        """Announce the next window to readers after a change, and return the plan as JSON."""
        self._announce_next(tx, plan_store.ahead(tx), now_ms)
        return as_json(tx, plan, now_ms)

    def _opening_after(self, schedule: Schedule, now_ms: int) -> tuple[date, int]:
        """First opening after `now_ms`. Raises DomainError `bad_request` for a date that is over or too far ahead."""
        zone = self._settings.now.timezone
        today = datetime.fromtimestamp(now_ms / 1000, zone).date()
        if schedule.day and schedule.day - today > timedelta(days=recurrence.DAYS_AHEAD_MAX):
            raise DomainError(ErrorCode.BAD_REQUEST, field="date", reason="plan_far", limit=recurrence.DAYS_AHEAD_MAX)
        is_over = schedule.day and today - schedule.day > timedelta(days=2)
        day = None if is_over else schedule.day_after(now_ms, zone)
        if day is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field="date", reason="plan_past")
        return day, schedule.opening(day, zone)

    def _settle(self, tx: Transaction, asked_ms: int) -> list[tuple[Plan, Outcome]]:
        """Open the plans that are due. Returns the plans that could not open, with the reason."""
        self._windows.close_ended(tx, asked_ms)
        failed: list[tuple[Plan, Outcome]] = []
        for plan in plan_store.due(tx, asked_ms):
            assert plan.opens_ms is not None
            outcome = self._try(tx, plan, plan.opens_ms, asked_ms)
            if outcome is None:
                continue
            self._advance(tx, plan, plan.opens_ms, outcome, asked_ms)
            if outcome is not Outcome.OPENED:
                failed.append((plan, outcome))
                opens_ms, why = plan.opens_ms, outcome.value
                record(tx, asked_ms, AuditAct.PLAN_FAIL, plan.by, plan=plan.id, opens_ms=opens_ms, outcome=why)
        self._announce_next(tx, plan_store.ahead(tx), asked_ms)
        return failed

    def _try(self, tx: Transaction, plan: Plan, opens_ms: int, asked_ms: int) -> Outcome | None:
        """Open the plan's window if that is allowed and possible. None while it waits for another window to end."""
        try:
            manager, offered = _allowed(tx, plan, asked_ms)
        except DomainError as refused:
            return _OUTCOMES[refused.code]
        until_ms = opens_ms + self._windows.length_ms(offered)
        if store.open_window(tx):
            return None if asked_ms < until_ms else Outcome.BUSY
        before = store.newest_closed(tx)
        # The earliest time at which it could open. If the clock was set back, the end before may be in the future.
        ready_ms = max(opens_ms, min(before.shown(()).closes_ms, asked_ms) if before else 0)
        if ready_ms > until_ms:
            return Outcome.BUSY
        if asked_ms - ready_ms > LATE_MS:
            return Outcome.MISSED
        self._windows.open(tx, manager, None, False, offered, asked_ms, plan_id=plan.id)
        return Outcome.OPENED

    def _advance(self, tx: Transaction, plan: Plan, opens_ms: int, outcome: Outcome, now_ms: int) -> None:
        """Set the next opening that is not missed by more than LATE_MS. Remove a plan of one date that has opened."""
        if plan.schedule.day and outcome is Outcome.OPENED:
            plan_store.remove(tx, plan.id)
            return
        zone = self._settings.now.timezone
        day = plan.schedule.day_after(max(opens_ms, now_ms - LATE_MS - 1), zone)
        next_ms = plan.schedule.opening(day, zone) if day else None
        plan_store.put_next(tx, plan.id, day, next_ms, (opens_ms, outcome))

    def _next_opening(self, tx: Transaction, now_ms: int) -> int | None:
        plans = plan_store.ahead(tx)
        # Checked here too, because a member's ban or name change may end without an event that this feature gets.
        self._announce_next(tx, plans, now_ms)
        window = store.open_window(tx)
        waits_ms = [self._settled_by(tx, plan, now_ms, window.closes_ms if window else None) for plan in plans]
        return min(waits_ms, default=None)

    def _settled_by(self, tx: Transaction, plan: Plan, now_ms: int, closes_ms: int | None) -> int:
        """When the plan has to be settled. `closes_ms`: when the open window ends, None if no window is open."""
        assert plan.opens_ms is not None
        if closes_ms is None or plan.opens_ms > now_ms or _obstacle(tx, plan, now_ms):
            return plan.opens_ms
        length_ms = self._windows.length_ms(plan_store.offered(tx, plan.content))
        return min(plan.opens_ms + length_ms, closes_ms)

    def _announce_next(self, tx: Transaction, plans: Sequence[Plan], now_ms: int) -> None:
        """Announce the next window to readers if it differs from the window that was announced last."""
        before, found = self._announced, self._next_window(tx, plans, now_ms)
        if found != before:
            self._announced = found
            tx.on_rollback(lambda: self._restore(before))
            tx.announce(PlannedChanged(found))

    def _restore(self, before: NextWindow | None) -> None:
        self._announced = before

    def _next_window(self, tx: Transaction, plans: Sequence[Plan], now_ms: int) -> NextWindow | None:
        plan = next((plan for plan in plans if not _obstacle(tx, plan, now_ms)), None)
        if plan is None or plan.opens_ms is None:
            return None
        title = plan_store.offered(tx, plan.content).title
        return NextWindow(title, plan.opens_ms, plan.by.name, self._settings.now.timezone.key)

    def _local(self, plan: Plan) -> str:
        """The time of the plan's opening, for the log."""
        assert plan.opens_ms is not None
        return datetime.fromtimestamp(plan.opens_ms / 1000, self._settings.now.timezone).isoformat(" ", "minutes")

    TIMERS = (
        Timer(
            "planned windows",
            next_opening,
            settle,
            {
                PlannedChanged: lambda _, event: event.next.opens_ms if event.next else None,
                # Each of these events may allow a plan to open, or prevent it, so its deadline is read again at once.
                WindowChanged: lambda _, event: event.window.closes_ms if event.window.is_open else 0,
                TemplatesChanged: lambda *_: 0,
                MemberChanged: lambda *_: 0,
                MemberMuted: lambda *_: 0,
                SessionsEnded: lambda _, event: 0 if event.banned else None,
            },
        ),
    )
    LISTENERS = ((PlannedChanged, on_changed),)


def as_json(tx: Transaction, plan: Plan, now_ms: int) -> dict[str, Any]:
    """A plan as administrators get it. `blocked`: the reason why it would not open. `waiting`: it is due and waits."""
    try:
        offered = plan_store.offered(tx, plan.content)
    except DomainError:
        offered = Offer()
    obstacle = _obstacle(tx, plan, now_ms)
    return {
        "id": plan.id,
        "title": offered.title,
        "note": offered.note,
        "items": offered.items_json(),
        "template": plan.content.template_id,
        "seconds": plan.content.seconds,
        **plan.schedule.as_json(),
        "opens_ms": plan.opens_ms,
        "by": plan.by.name,
        "by_id": plan.by.id,
        "blocked": obstacle.value if obstacle else None,
        "waiting": plan.opens_ms is not None and plan.opens_ms <= now_ms,
        "last": {"opens_ms": plan.last[0], "outcome": plan.last[1].value} if plan.last else None,
    }


def _allowed(tx: Transaction, plan: Plan, at_ms: int) -> tuple[User, Offer]:
    """The member who opens it at `at_ms`, and the offer. Raises DomainError: `forbidden`, `banned`, `muted`,
    `not_found`."""
    return permissions.require_window_manager(tx, plan.by, at_ms), plan_store.offered(tx, plan.content)


def _obstacle(tx: Transaction, plan: Plan, now_ms: int) -> Outcome | None:
    """The present reason why the plan would not open at its time; None if it would open."""
    try:
        _allowed(tx, plan, max(now_ms, plan.opens_ms or 0))
    except DomainError as refused:
        return _OUTCOMES[refused.code]
    return None


def _content(tx: Transaction, fields: Mapping[str, Any], before: Content) -> Content:
    """The content after a change. Values that `fields` does not name stay as they were.

    Raises DomainError: `bad_request`, `not_found`, `gone`.
    """
    given = dict(fields)
    seconds = offer.seconds(given["seconds"]) if "seconds" in given else before.seconds
    template_id, window_id = answers.optional_id(given, "template"), answers.optional_id(given, "window")
    if not given.keys() & {"template", "window", "title", "note", "items"}:
        template_id = before.template_id
    if template_id is not None:
        template_store.find(tx, template_id)
        return Content(template_id=template_id, seconds=seconds)
    was = before.offered
    if window_id is not None:
        was = template_store.of_window(tx, window_id)
        seconds = seconds or was.seconds
    offered = offer.read({"title": was.title, "note": was.note, "items": was.items_json(), **given})
    return Content(offered._replace(seconds=None), None, seconds)
