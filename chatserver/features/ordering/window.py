"""Ordering windows. They are the server's: they end when the row says, whoever is still there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import MessagePosted, WindowChanged
from chatserver.core.model import Kind, Message, OrderingWindow, Preset, User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.messages import store as message_store
from chatserver.features.ordering import store
from chatserver.features.settings.settings import Settings

SECONDS_MAX = 86_400

# What a preset says in the room. The page shows it in the reader's language by its `preset`.
WORDS = {Preset.START: "开始下单", Preset.STOP: "停止下单", Preset.COUNTDOWN: "倒计时图"}


@dataclass(frozen=True, slots=True)
class Ordered:
    """The message that a preset left, and the window as it stands after it."""

    message: Message
    window: OrderingWindow


class Ordering:
    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def start(self, actor: User, seconds: int | None = None) -> Ordered:
        """Open a window for `seconds` (1 to 86,400; None: as the settings say), or move the open one's end.

        Refuses with `forbidden`, and with `bad_request` for another number of seconds.
        """
        if seconds is not None and not 1 <= seconds <= SECONDS_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field="seconds")
        return await self._database.run(lambda tx: self._start(tx, actor, seconds, Preset.START))

    async def stop(self, actor: User) -> Ordered:
        """Close the window. Refuses with `forbidden`, and with `window_closed` when none is open."""
        return await self._database.run(lambda tx: self._stop(tx, actor))

    async def countdown(self, actor: User) -> Ordered:
        """Post the countdown of the open window, or open one."""
        return await self._database.run(lambda tx: self._countdown(tx, actor))

    async def close_due(self) -> None:
        """Close the window whose time has come; the room hears it from whoever opened it."""
        await self._database.run(self._close_due)

    async def next_closing(self) -> int | None:
        current = await self._database.run(store.current)
        return current[0].closes_ms if current else None

    def _start(self, tx: Transaction, actor: User, seconds: int | None, preset: Preset) -> Ordered:
        actor = permissions.administrator(tx, actor)
        now_ms = self._clock.now_ms()
        closes_ms = now_ms + (seconds or self._settings.now.window_seconds) * 1000
        current = self._current(tx)
        if current is None:
            window = store.open_one(tx, now_ms, closes_ms, actor)
        else:
            window = replace(current[0], closes_ms=closes_ms)
            store.move_end(tx, window.id, closes_ms)
        tx.announce(WindowChanged(window))
        return Ordered(self._say(tx, preset, actor, now_ms, closes_ms), window)

    def _stop(self, tx: Transaction, actor: User) -> Ordered:
        actor = permissions.administrator(tx, actor)
        current = self._current(tx)
        if current is None:
            raise DomainError(ErrorCode.WINDOW_CLOSED)
        return self._close(tx, current[0], actor)

    def _countdown(self, tx: Transaction, actor: User) -> Ordered:
        actor = permissions.administrator(tx, actor)
        current = self._current(tx)
        if current is None:
            return self._start(tx, actor, None, Preset.COUNTDOWN)
        message = self._say(tx, Preset.COUNTDOWN, actor, self._clock.now_ms(), current[0].closes_ms)
        return Ordered(message, current[0])

    def _current(self, tx: Transaction) -> tuple[OrderingWindow, User] | None:
        """The open window and who opened it. One whose time has come is closed, however late its timer is."""
        self._close_due(tx)
        return store.current(tx)

    def _close_due(self, tx: Transaction) -> None:
        current = store.current(tx)
        if current and current[0].closes_ms <= self._clock.now_ms():
            self._close(tx, *current)

    def _close(self, tx: Transaction, window: OrderingWindow, by: User) -> Ordered:
        now_ms = self._clock.now_ms()
        store.close(tx, window.id, now_ms)
        store.forget_closed(tx, now_ms - self._settings.now.history_ms)
        closed = replace(window, is_open=False, closes_ms=min(window.closes_ms, now_ms), by=by.name)
        tx.announce(WindowChanged(closed))
        return Ordered(self._say(tx, Preset.STOP, by, now_ms, None), closed)

    def _say(self, tx: Transaction, preset: Preset, author: User, now_ms: int, closes_ms: int | None) -> Message:
        message = message_store.insert(
            tx,
            message_store.NewMessage(
                author=author,
                kind=Kind.PRESET,
                text=WORDS[preset],
                picture=None,
                media_key="",
                reply_to=None,
                client_id="",
                client_key=None,
                created_ms=now_ms,
                recall_until_ms=now_ms + int(self._settings.now.recall_seconds * 1000),
                preset=preset,
                closes_ms=closes_ms,
            ),
        )
        assert message is not None  # it has no `client_id` that could have been used before
        tx.announce(MessagePosted(message))
        return message
