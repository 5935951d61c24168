"""Decide who gets a notification: of ordering windows, and of messages that mention or answer a member."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, TypeVar

from chatserver.core.bounded_dict import BoundedDict
from chatserver.core.clock import Clock
from chatserver.core.config import CurrentConfig
from chatserver.core.deadline_timer import Timer
from chatserver.core.errors import DomainError
from chatserver.core.model import Kind, Message, State
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.messages import store as message_store
from chatserver.features.messages.encode import MessageEmptied, TextReplaced
from chatserver.features.messages.post import MessagePosted
from chatserver.features.ordering.events import WindowChanged
from chatserver.features.push import store, words
from chatserver.features.push.mentions import may_mention, mentioned, mentions_everybody
from chatserver.features.push.queue import Push, PushQueue
from chatserver.features.push.store import PushKind, Subscription
from chatserver.features.push.vapid import IS_INSTALLED
from chatserver.i18n import LANGUAGES
from chatserver.realtime.hub import Hub

log = logging.getLogger(__name__)
T = TypeVar("T")

# How long before the end of a window its warning is sent, if the window is longer than twice this time.
WARNING_MS = 60_000
# If less time than this is left before the end, the warning is not sent.
WARNING_MIN_MS = 5_000
# How long a push service keeps the notification of a mention or an answer, for a phone that is off.
NAMED_MS_MAX = 12 * 3_600_000
# Messages for which the notified subscriptions are remembered, so that a recall can replace what a phone shows.
TOLD_MAX = 1_000


class OpenWindow(NamedTuple):
    """The open ordering window. `opened_by` is a member's id."""

    id: int
    opened_ms: int
    closes_ms: int
    title: str
    opened_by: int

    @property
    def warning_ms(self) -> int | None:
        """When the warning of its end is due; None for a short window."""
        return self.closes_ms - WARNING_MS if self.closes_ms - self.opened_ms > 2 * WARNING_MS else None


class Named(NamedTuple):
    """A live message. `hows`: subscription of a member whom it names -> `mention`, `all` or `reply`."""

    message: Message
    hows: dict[Subscription, str]


class Notify:
    """Queues notifications of an event. Reads who wants them in a separate transaction function after the COMMIT.

    A member gets no notification while one of their sockets is connected, and none in their quiet hours. Call `load`
    before the first event.
    """

    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, hub: Hub, queue: PushQueue) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hub = hub
        self._queue = queue
        # The newest window that was announced; (id, end) of the last window whose warning was handled.
        self._last_window_id = 0
        self._warned_of: tuple[int, int] | None = None
        # Message id -> subscription id -> whether the notification had the message's text.
        self._told: BoundedDict[int, dict[int, bool]] = BoundedDict(TOLD_MAX)

    @property
    def is_on(self) -> bool:
        return IS_INSTALLED and self._settings.now.push == "on"

    async def load(self) -> None:
        """Remember the present windows, so that events from before the start are not announced again."""
        self._last_window_id, window = await self._database.run(_windows)
        if window and window.closes_ms - WARNING_MS <= self._clock.now_ms():
            self._warned_of = window.id, window.closes_ms

    async def next_warning(self) -> int | None:
        """When the warning of the open window's end is due, in Unix ms; None if no warning is due."""
        window = (await self._database.run(_windows))[1] if self.is_on else None
        if window is None or self._warned_of == (window.id, window.closes_ms):
            return None
        return window.warning_ms

    async def warn(self) -> None:
        """Notify the members who want this that the window closes in a minute."""
        if not self.is_on:
            return
        now_ms = self._clock.now_ms()
        window, found = await self._database.run(_closing)
        if window is None or window.warning_ms is None or self._warned_of == (window.id, window.closes_ms):
            return
        if window.warning_ms > now_ms:
            return
        self._warned_of = window.id, window.closes_ms
        if window.closes_ms - now_ms >= WARNING_MIN_MS:
            self._tell_of_window(window, found, words.window_closes)

    def warning_of(self, event: WindowChanged) -> int | None:
        """When a warning for this window may be due; `next_warning` then gives the exact answer."""
        return event.window.closes_ms - WARNING_MS if event.window.is_open and self.is_on else None

    def on_window(self, event: WindowChanged) -> None:
        window = event.window
        if not window.is_open:
            self._queue.drop_topic(_window_topic(window.id))
        elif window.id > self._last_window_id:  # otherwise the window's end was moved
            self._last_window_id = window.id
            if self.is_on:
                self._read(_opened, self._on_opened)

    def on_posted(self, event: MessagePosted) -> None:
        message = event.message
        # An order mentions no member and answers none; for a preset, the event of its window is announced.
        if self.is_on and message.kind in (Kind.TEXT, Kind.IMAGE):
            if message.reply_to is not None or may_mention(message.text):
                self._read(lambda tx: _named(tx, message.id), self._on_named)

    def on_text_replaced(self, event: TextReplaced) -> None:
        message = event.message
        if self.is_on and (message.id in self._told or message.reply_to is not None or may_mention(message.text)):
            self._read(lambda tx: _named(tx, message.id), self._on_replaced)

    def on_emptied(self, event: MessageEmptied) -> None:
        """After a recall or deletion, remove queued notifications of the message, and replace notifications that were
        sent."""
        self._replace(event.message.id, self._told.pop(event.message.id, {}), words.gone)

    def _on_opened(self, opened: tuple[OpenWindow | None, list[Subscription]]) -> None:
        window, found = opened
        if window is not None:
            others = [each for each in found if each.user_id != window.opened_by]
            self._tell_of_window(window, others, words.window_opened)

    def _tell_of_window(self, window: OpenWindow, found: list[Subscription], body: Callable[[str, str], str]) -> None:
        """`body` returns the text for a language and the window's title. Each text is encoded once for the room."""
        topic = _window_topic(window.id)
        payloads = {language: self._payload(body(language, window.title), topic) for language in LANGUAGES}
        for each in self._reachable(found):
            self._queue.put(Push(each.id, topic, payloads[each.wishes.language], "high", window.closes_ms))

    def _on_named(self, named: Named | None) -> set[int]:
        """Queue notifications for the named members. Returns the ids of their subscriptions."""
        if named is None:
            return set()
        message, hows = named
        told, topic = dict(self._told.get(message.id, {})), _message_topic(message.id)
        expires_ms = message.created_ms + min(self._settings.now.history_ms, NAMED_MS_MAX)
        # A subscription without `words` that was notified already knows the author, and the author has not changed.
        reached = self._reachable([each for each in hows if each.id not in told or each.wishes.words])
        for each in reached:
            body = words.named(each.wishes.language, message, hows[each], each.wishes.words)
            self._queue.put(Push(each.id, topic, self._payload(body, topic), "normal", expires_ms))
            told[each.id] = each.wishes.words
        if told:
            self._told[message.id] = told
        return {each.id for each in reached}

    def _on_replaced(self, named: Named | None) -> None:
        """Notify the members whom the message names now, and replace the old text on all other devices."""
        if named is None:
            return
        message, before = named.message, self._told.get(named.message.id, {})
        reached = self._on_named(named)
        outdated = [key for key, had_words in before.items() if had_words and key not in reached]
        self._replace(message.id, outdated, lambda language: words.replaced(language, message))
        if outdated:
            self._told[message.id] = {**self._told[message.id], **dict.fromkeys(outdated, False)}

    def _replace(self, message_id: int, told: Iterable[int], body: Callable[[str], str]) -> None:
        """Remove the notifications of a message from the queue, and queue replacements for notifications that were
        sent."""
        topic = _message_topic(message_id)
        left = [key for key in told if not self._queue.drop(key, topic)]

        def replace_for(found: list[Subscription]) -> None:
            until_ms = self._clock.now_ms() + NAMED_MS_MAX
            for each in found:
                payload = self._payload(body(each.wishes.language), topic, alerts=False)
                self._queue.put(Push(each.id, topic, payload, "normal", until_ms))

        if left:
            self._read(lambda tx: store.of_ids(tx, left), replace_for)

    def _reachable(self, found: list[Subscription]) -> list[Subscription]:
        """The subscriptions of members who have no connected socket and no quiet hours now."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, self._settings.now.timezone)
        minute = now.hour * 60 + now.minute
        return [each for each in found if not self._hub.is_online(each.user_id) and not each.wishes.is_quiet(minute)]

    def _payload(self, body: str, topic: str, *, alerts: bool = True) -> bytes:
        return words.payload(self._settings.now.room_name, body, topic, alerts=alerts)

    def _read(self, function: Callable[[Transaction], T], then: Callable[[T], object]) -> None:
        """Call `then` on the loop with the result of `function`; do not call it if the database fails."""

        def answer(found: T | None, error: BaseException | None) -> None:
            if error is None:
                then(found)  # type: ignore[arg-type]
            else:
                log.warning("reading who is told failed: %s", error)

        with suppress(DomainError):  # the queue of the database is full, or it is being closed
            self._database.submit(function, answer)

    TIMERS = (Timer("push", next_warning, warn, {WindowChanged: warning_of}),)
    LISTENERS = (
        (WindowChanged, on_window),
        (MessagePosted, on_posted),
        (TextReplaced, on_text_replaced),
        (MessageEmptied, on_emptied),
    )


def _message_topic(message_id: int) -> str:
    """Also the header Topic of RFC 8030, section 5.4: at most 32 characters of base64url."""
    return f"message-{message_id}"


def _window_topic(window_id: int) -> str:
    return f"window-{window_id}"


def _windows(tx: Transaction) -> tuple[int, OpenWindow | None]:
    """The id of the newest window (0 for none), and the open window."""
    last_id = tx.one("SELECT coalesce(max(id), 0) FROM windows")[0]
    row = tx.one("SELECT id, opened_ms, closes_ms, title, opened_by FROM windows WHERE closed_ms IS NULL")
    return last_id, OpenWindow(*row) if row else None


def _opened(tx: Transaction) -> tuple[OpenWindow | None, list[Subscription]]:
    return _windows(tx)[1], store.of_kind(tx, PushKind.OPENED)


def _closing(tx: Transaction) -> tuple[OpenWindow | None, list[Subscription]]:
    return _windows(tx)[1], store.of_kind(tx, PushKind.CLOSES)


def _named(tx: Transaction, message_id: int) -> Named | None:
    """Read a message and the subscriptions of the members whom it names. None if the message is gone meanwhile."""
    message = message_store.get(tx, message_id)
    if message is None or message.state is not State.LIVE:
        return None
    if mentions_everybody(message.text, message.author.role):
        found = dict.fromkeys(store.of_kind(tx, PushKind.NAMED), "all")
    else:
        hows = dict.fromkeys(mentioned(tx, message.text), "mention")
        original = message_store.get(tx, message.reply_to) if message.reply_to is not None else None
        if original is not None:
            hows.setdefault(original.author.id, "reply")
        found = {each: hows[each.user_id] for each in store.of_members(tx, PushKind.NAMED, hows)}
    return Named(message, {each: how for each, how in found.items() if each.user_id != message.author.id})
