"""Ordering windows. The server closes each at the time in its row, whether or not its administrator is connected."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.core.model import Message, OrderingWindow, Preset, Role, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.messages.encode import MessageEncoder
from chatserver.features.messages.preset import post_preset

SECONDS_MAX = 86_400

# The text of each preset's message. The page shows it in the reader's language, by the message's `preset`.
TEXTS = {Preset.START: "开始下单", Preset.STOP: "停止下单", Preset.COUNTDOWN: "倒计时图"}


@dataclass(frozen=True, slots=True)
class WindowChanged(Event):
    """The window was opened, moved or closed. Frame `window`; its `now_ms` is the time of encoding."""

    window: OrderingWindow
    clock: Clock = field(compare=False, repr=False)

    def frame(self) -> bytes:
        return json.dumps({"type": "window", **window_json(self.window, self.clock.now_ms())})


@dataclass(frozen=True, slots=True)
class PresetPosted:
    """The message of a preset, and the window after it."""

    message: Message
    window: OrderingWindow


class OrderingWindows:
    """At most one window is open; the database's index `windows_open` ensures it. `load` comes before `greeting`."""

    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, encoder: MessageEncoder) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._encoder = encoder
        # The open window, by the last event.
        self._current: OrderingWindow | None = None

    async def load(self) -> None:
        """Read the open window. Before the first event is published."""
        current = await self._database.run(_current)
        self._current = current[0] if current else None

    async def start(self, actor: User, seconds: int | None = None, *, may_move: bool = True) -> PresetPosted:
        """Open a window of `seconds` (1 to 86,400; None: the setting), or let the open one end so long from now.

        Raises DomainError: `forbidden`, `banned`, `bad_request` (`seconds`), and without `may_move`
        `window_open` (`window`) when one is open.
        """
        if seconds is not None and not 1 <= seconds <= SECONDS_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="seconds")
        return await self._database.run(lambda tx: self._start(tx, actor, seconds, may_move))

    async def stop(self, actor: User) -> PresetPosted:
        """Close the window. Raises DomainError: `forbidden`, `banned`, `window_closed` when none is open."""
        return await self._database.run(lambda tx: self._stop(tx, actor))

    async def countdown(self, actor: User) -> PresetPosted:
        """Post the countdown of the open window. Raises DomainError: `forbidden`, `banned`, `window_closed`."""
        return await self._database.run(lambda tx: self._countdown(tx, actor))

    async def close_due(self) -> None:
        """Close the window that has ended, in the name of the administrator who opened it."""
        await self._database.run(self._close_due)

    async def next_closing(self) -> int | None:
        """When the open window ends, in Unix ms; None where none is open."""
        current = await self._database.run(_current)
        return current[0].closes_ms if current else None

    def greeting(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        return {"window": self.as_json(self._current) if self._current else None}

    def as_json(self, window: OrderingWindow) -> dict[str, Any]:
        return window_json(window, self._clock.now_ms())

    def on_changed(self, event: WindowChanged) -> None:
        self._current = event.window if event.window.is_open else None

    def _start(self, tx: Transaction, actor: User, seconds: int | None, may_move: bool) -> PresetPosted:
        actor = permissions.administrator(tx, actor)
        now_ms = self._clock.now_ms()
        closes_ms = now_ms + (seconds or self._settings.now.window_seconds) * 1000
        current = self._open_window(tx)
        if current is None:
            window = _insert(tx, now_ms, closes_ms, actor)
        elif not may_move:
            raise DomainError(ErrorCode.WINDOW_OPEN, window=self.as_json(current[0]))
        else:
            window = replace(current[0], closes_ms=closes_ms)
            tx.execute("UPDATE windows SET closes_ms = ? WHERE id = ? AND closed_ms IS NULL", (closes_ms, window.id))
        tx.announce(WindowChanged(window, self._clock))
        return PresetPosted(self._post(tx, Preset.START, actor, now_ms, window), window)

    def _stop(self, tx: Transaction, actor: User) -> PresetPosted:
        actor = permissions.administrator(tx, actor)
        current = self._open_window(tx)
        if current is None:
            raise DomainError(ErrorCode.WINDOW_CLOSED)
        return self._close(tx, current[0], actor)

    def _countdown(self, tx: Transaction, actor: User) -> PresetPosted:
        actor = permissions.administrator(tx, actor)
        current = self._open_window(tx)
        if current is None:
            raise DomainError(ErrorCode.WINDOW_CLOSED)
        window = current[0]
        message = self._post(tx, Preset.COUNTDOWN, actor, self._clock.now_ms(), window)
        return PresetPosted(message, window)

    def _open_window(self, tx: Transaction) -> tuple[OrderingWindow, User] | None:
        """The open window and who opened it. One that has ended is closed first, because its timer may be late."""
        self._close_due(tx)
        return _current(tx)

    def _close_due(self, tx: Transaction) -> None:
        current = _current(tx)
        if current and current[0].closes_ms <= self._clock.now_ms():
            self._close(tx, *current)

    def _close(self, tx: Transaction, window: OrderingWindow, actor: User) -> PresetPosted:
        now_ms = self._clock.now_ms()
        tx.execute("UPDATE windows SET closed_ms = ? WHERE id = ? AND closed_ms IS NULL", (now_ms, window.id))
        # Closed windows are kept as long as messages.
        tx.execute("DELETE FROM windows WHERE closed_ms < ?", (now_ms - self._settings.now.history_ms,))
        closed = replace(window, is_open=False, closes_ms=min(window.closes_ms, now_ms), by=actor.name)
        tx.announce(WindowChanged(closed, self._clock))
        return PresetPosted(self._post(tx, Preset.STOP, actor, now_ms, window), closed)

    def _post(self, tx: Transaction, preset: Preset, author: User, now_ms: int, window: OrderingWindow) -> Message:
        """The message has the end that was planned: a `stop` that is not before it was the server's own."""
        return post_preset(
            tx,
            self._encoder,
            author,
            preset,
            now_ms,
            self._settings.now.recall_ms,
            text=TEXTS[preset],
            closes_ms=window.closes_ms,
            window_id=window.id,
        )

    TIMERS = (
        Timer(
            "ordering",
            next_closing,
            close_due,
            {WindowChanged: lambda _, event: event.window.closes_ms if event.window.is_open else None},
        ),
    )
    LISTENERS = ((WindowChanged, on_changed),)


def window_json(window: OrderingWindow, now_ms: int) -> dict[str, Any]:
    """The window as readers get it; with `now_ms`, the server's time, they count down by the server's clock."""
    return {
        "id": window.id,
        "state": "open" if window.is_open else "closed",
        "opened_ms": window.opened_ms,
        "closes_ms": window.closes_ms,
        "now_ms": now_ms,
        "by": window.by,
    }


def _insert(tx: Transaction, opened_ms: int, closes_ms: int, opened_by: User) -> OrderingWindow:
    row = tx.one(
        "INSERT INTO windows (opened_ms, closes_ms, opened_by) VALUES (?, ?, ?) RETURNING id",
        (opened_ms, closes_ms, opened_by.id),
    )
    return OrderingWindow(row[0], opened_ms, closes_ms, True, opened_by.name)


def _current(tx: Transaction) -> tuple[OrderingWindow, User] | None:
    """The open window and who opened it."""
    row = tx.one(
        "SELECT w.id, w.opened_ms, w.closes_ms, u.id, u.name, u.role, u.avatar"
        " FROM windows w JOIN users u ON u.id = w.opened_by WHERE w.closed_ms IS NULL"
    )
    if row is None:
        return None
    window_id, opened_ms, closes_ms, user_id, name, role, avatar = row
    return OrderingWindow(window_id, opened_ms, closes_ms, True, name), User(user_id, name, Role(role), avatar)
