"""Ordering windows. The server closes each window at the time in its row, even if its administrator is offline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Message, Preset, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.accounts.events import MemberChanged
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.preset import post_preset
from chatserver.features.ordering import offer, store, template_store
from chatserver.features.ordering.events import LedgerErased, OrdersCounted, WindowChanged
from chatserver.features.ordering.ledger_transaction import LedgerTransaction
from chatserver.features.ordering.model import OrderingWindow
from chatserver.features.ordering.offer import Offer
from chatserver.features.ordering.sums import Sums

# The text of each preset's message. The page shows it in the reader's language, by the message's `preset`.
TEXTS = {Preset.START: "开始下单", Preset.STOP: "停止下单", Preset.COUNTDOWN: "倒计时图"}
# `extra` of the start message if a plan opened the window.
_PLANNED = '{"planned":true}'
# How long after its end the page still shows the window that was closed last.
LAST_SHOWN_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class PresetPosted:
    """The message of a preset, and the window after it."""

    message: Message
    window: OrderingWindow


class OrderingWindows:
    """At most one window is open; the database's index `windows_open` ensures it. Call `load` before `hello_fields`.

    A request is judged by the time at which the server read it, never by the time at which the queue reaches it. So
    each request that was read before the end of a window is in the queue before the job that closes the window.
    """

    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        # The open window, and the window that was closed last, according to the last event.
        self._current: OrderingWindow | None = None
        self._last: OrderingWindow | None = None

    async def load(self) -> None:
        """Read both windows. Call it before the first event is published."""
        self._current, self._last = await self._database.run(lambda tx: (_current(tx), _last(tx)))

    async def start(
        self,
        actor: User,
        seconds: int | None = None,
        *,
        may_move: bool = True,
        offered: Offer | None = None,
        template_id: int | None = None,
    ) -> PresetPosted:
        """Open a window of `seconds` (1 to 86,400; None: the offer's, else the setting), or move the open window's end.

        The window offers `offered`, or the template `template_id`. Raises DomainError: `forbidden`, `banned`,
        `bad_request` (`seconds`), `not_found` (the template), and `window_open` (`window`) if a window is open and
        an offer is given or `may_move` is false.
        """
        offer.seconds(seconds)
        asked_ms = self._clock.now_ms()

        def open_window(tx: Transaction) -> PresetPosted:
            manager = permissions.require_window_manager(tx, actor, asked_ms)
            offers = offered if template_id is None else template_store.find(tx, template_id)
            return self.open(tx, manager, seconds, may_move, offers, asked_ms)

        return await self._database.run(open_window)

    async def stop(self, actor: User) -> PresetPosted:
        """Close the window. Raises DomainError: `forbidden`, `banned`, `muted`, `window_closed` if none is open."""
        asked_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._stop(tx, actor, asked_ms))

    async def countdown(self, actor: User) -> PresetPosted:
        """Post the countdown. Raises DomainError: `forbidden`, `banned`, `muted`, `window_closed` if none is open."""
        asked_ms = self._clock.now_ms()
        return await self._database.run(lambda tx: self._countdown(tx, actor, asked_ms))

    async def close_due(self) -> None:
        """Close the window that has ended, in the name of the administrator who opened it."""
        asked_ms = self._clock.now_ms()
        await self._database.run(lambda tx: self.close_ended(tx, asked_ms))

    async def next_closing(self) -> int | None:
        """When the open window ends, in Unix ms; None if no window is open."""
        current = await self._database.run(_current)
        return current.closes_ms if current else None

    def hello_fields(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        return {"window": self.as_json(self._current) if self._current else None, "last_window": self._last_as_json()}

    def _last_as_json(self) -> dict[str, Any] | None:
        """What a page shows of the last closed window without its ledger; None after 12 hours or without orders."""
        last = self._last
        if last is None or not last.orders or self._clock.now_ms() - last.closes_ms > LAST_SHOWN_MS:
            return None
        return {
            "id": last.id,
            "title": last.title,
            "closes_ms": last.closes_ms,
            "orders": last.orders,
            "members": last.members,
        }

    def as_json(self, window: OrderingWindow) -> dict[str, Any]:
        return window.as_json(self._clock.now_ms())

    def on_changed(self, event: WindowChanged) -> None:
        self._current = event.window if event.window.is_open else None
        if not event.window.is_open:
            self._last = event.window

    def on_member_changed(self, event: MemberChanged) -> None:
        if self._current and event.was and self._current.by == event.was:
            self._current = replace(self._current, by=event.user.name)

    def on_counted(self, event: OrdersCounted) -> None:
        if event.window.is_open:
            self._current = event.window
        elif self._last and event.window.id == self._last.id:
            self._last = event.window

    def on_erased(self, event: LedgerErased) -> None:
        if self._last and event.window_id == self._last.id:
            self._last = None

    def length_ms(self, offered: Offer | None, seconds: int | None = None) -> int:
        """How long a window of this offer is open."""
        return (seconds or (offered and offered.seconds) or self._settings.now.window_seconds) * 1000

    def open(
        self,
        tx: Transaction,
        actor: User,
        seconds: int | None,
        may_move: bool,
        offered: Offer | None,
        asked_ms: int,
        *,
        plan_id: int | None = None,
    ) -> PresetPosted:
        """Do what `start` does, after the permission of `actor` was checked. `plan_id`: the plan that opens it."""
        closes_ms = asked_ms + self.length_ms(offered, seconds)
        self.close_ended(tx, asked_ms)
        ledger = LedgerTransaction.open(tx)
        if ledger is None:
            ledger = _insert(tx, actor, asked_ms, closes_ms, offered or Offer(), is_planned=plan_id is not None)
            ledger.write_opened(actor.name)
            act, plan = (AuditAct.WINDOW_OPEN, {}) if plan_id is None else (AuditAct.PLAN_OPEN, {"plan": plan_id})
            record(tx, asked_ms, act, actor, window=ledger.window.id, closes_ms=closes_ms, **plan)
        elif offered is not None or not may_move:
            raise DomainError(ErrorCode.WINDOW_OPEN, window=self.as_json(ledger.shown()))
        else:
            ledger.move(closes_ms)
            ledger.write("moved", asked_ms, closes_ms=closes_ms, by=actor.name)
            record(tx, asked_ms, AuditAct.WINDOW_MOVE, actor, window=ledger.window.id, closes_ms=closes_ms)
        window = ledger.save()
        tx.announce(WindowChanged(window, self._clock))
        extra = _PLANNED if plan_id is not None else ""
        return PresetPosted(self._post(tx, Preset.START, actor, asked_ms, window, extra=extra), window)

    def close_ended(self, tx: Transaction, asked_ms: int) -> None:
        """Close the window if it had ended at `asked_ms`, because its timer may be late."""
        ledger = LedgerTransaction.open(tx)
        if ledger and ledger.window.closes_ms <= asked_ms:
            self._close(tx, ledger, ledger.window.opened_by, asked_ms, by=None)

    def _stop(self, tx: Transaction, actor: User, asked_ms: int) -> PresetPosted:
        actor = permissions.require_window_manager(tx, actor, asked_ms)
        ledger = self._open_ledger(tx, asked_ms)
        record(tx, asked_ms, AuditAct.WINDOW_STOP, actor, window=ledger.window.id)
        return self._close(tx, ledger, actor, asked_ms, by=actor.name)

    def _countdown(self, tx: Transaction, actor: User, asked_ms: int) -> PresetPosted:
        actor = permissions.require_window_manager(tx, actor, asked_ms)
        window = self._open_ledger(tx, asked_ms).shown()
        return PresetPosted(self._post(tx, Preset.COUNTDOWN, actor, asked_ms, window), window)

    def _open_ledger(self, tx: Transaction, asked_ms: int) -> LedgerTransaction:
        self.close_ended(tx, asked_ms)
        ledger = LedgerTransaction.open(tx)
        if ledger is None:
            raise DomainError(ErrorCode.WINDOW_CLOSED)
        return ledger

    def _close(
        self, tx: Transaction, ledger: LedgerTransaction, author: User, asked_ms: int, by: str | None
    ) -> PresetPosted:
        """`by`: the name of the administrator who ends it, None for the server. `author`: the message's author."""
        ends_ms = min(ledger.window.closes_ms, asked_ms)
        planned_ms = ledger.window.closes_ms
        ledger.write("closed", ends_ms, orders=ledger.standing, by=by)
        ledger.close(asked_ms)
        window = replace(ledger.save(), by=author.name)
        tx.announce(WindowChanged(window, self._clock))
        sums = Sums(window.items, store.orders(tx, window.id))
        text = "\n".join(filter(None, (TEXTS[Preset.STOP], sums.as_text())))
        message = self._post(
            tx,
            Preset.STOP,
            author,
            asked_ms,
            window,
            text=text,
            closes_ms=planned_ms,
            extra=sums.message_extra(window.digest),
        )
        return PresetPosted(message, window)

    def _post(
        self,
        tx: Transaction,
        preset: Preset,
        author: User,
        now_ms: int,
        window: OrderingWindow,
        *,
        text: str = "",
        closes_ms: int | None = None,
        extra: str = "",
    ) -> Message:
        """Post a preset. The message has the planned end of its window, so a `stop` that is not earlier came from the
        server."""
        return post_preset(
            tx,
            self._encoder,
            author,
            preset,
            now_ms,
            self._settings.now.recall_ms,
            text=text or TEXTS[preset],
            closes_ms=closes_ms or window.closes_ms,
            window_id=window.id,
            extra=extra,
        )

    TIMERS = (
        Timer(
            "ordering",
            next_closing,
            close_due,
            {WindowChanged: lambda _, event: event.window.closes_ms if event.window.is_open else None},
        ),
    )
    LISTENERS = (
        (WindowChanged, on_changed),
        (OrdersCounted, on_counted),
        (LedgerErased, on_erased),
        (MemberChanged, on_member_changed),
    )


def _insert(
    tx: Transaction, actor: User, opened_ms: int, closes_ms: int, offered: Offer, *, is_planned: bool
) -> LedgerTransaction:
    row = tx.one(
        "INSERT INTO windows (opened_ms, closes_ms, opened_by, title, note, planned) VALUES (?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (opened_ms, closes_ms, actor.id, offered.title, offered.note, is_planned),
    )
    store.insert_items(tx, row[0], offered.items)
    window = store.window(tx, row[0])
    assert window is not None
    return LedgerTransaction(tx, window)


def _current(tx: Transaction) -> OrderingWindow | None:
    row = store.open_window(tx)
    return row.shown(store.items(tx, row.id)) if row else None


def _last(tx: Transaction) -> OrderingWindow | None:
    row = store.newest_closed(tx)
    return row.shown(store.items(tx, row.id)) if row else None
