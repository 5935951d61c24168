"""Decides who is told of what: ordering windows, and messages that name a member."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
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
from chatserver.features.messages.edit import MessageEdited
from chatserver.features.messages.encode import MessageEmptied
from chatserver.features.messages.post import MessagePosted
from chatserver.features.ordering.events import WindowChanged
from chatserver.features.push import store, words
from chatserver.features.push.mentions import may_mention, mentioned, mentions_everybody
from chatserver.features.push.queue import Push, PushQueue
from chatserver.features.push.store import PushKind, Subscription
from chatserver.features.push.vapid import IS_INSTALLED
from chatserver.realtime.hub import Hub

log = logging.getLogger(__name__)
T = TypeVar("T")

# How long before its end a window is told of; only one that is longer than twice this.
WARNING_MS = 60_000
# A warning that comes later than this much before the end is of no use.
WARNING_MIN_MS = 5_000
# How long a push service keeps what names a member, for a phone that is off.
NAMED_MS_MAX = 12 * 3_600_000
# Messages of which it is known who was told of them, so that a recall can replace what a phone shows.
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
        """When its end is told of; None for a short one."""
        return self.closes_ms - WARNING_MS if self.closes_ms - self.opened_ms > 2 * WARNING_MS else None


class Named(NamedTuple):
    """A live message, and the subscriptions of those whom it names, with how: `mention`, `all` or `reply`."""

    message: Message
    found: list[tuple[Subscription, str]]


class Notify:
    """Reads who wants to hear of an event, in a transaction function of its own after the COMMIT, and queues for them.

    A member is not told while one of their sockets is connected, and not in their quiet hours. `load` comes before the
    first event.
    """

    def __init__(self, database: Database, settings: CurrentConfig, clock: Clock, hub: Hub, queue: PushQueue) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._hub = hub
        self._queue = queue
        # The newest window that was told of, and the end of a window that was warned of.
        self._last_window_id = 0
        self._warned_of: tuple[int, int] | None = None
        # Message id -> subscription id -> whether the words were told.
        self._told: BoundedDict[int, dict[int, bool]] = BoundedDict(TOLD_MAX)

    @property
    def is_on(self) -> bool:
        return IS_INSTALLED and self._settings.now.push == "on"

    async def load(self) -> None:
        """What was before the start is not told again."""
        self._last_window_id, window = await self._database.run(_windows)
        if window and window.closes_ms - WARNING_MS <= self._clock.now_ms():
            self._warned_of = window.id, window.closes_ms

    async def next_warning(self) -> int | None:
        """When the open window is to be warned of, in Unix ms; None where it is not."""
        window = (await self._database.run(_windows))[1] if self.is_on else None
        if window is None or self._warned_of == (window.id, window.closes_ms):
            return None
        return window.warning_ms

    async def warn(self) -> None:
        """Tell those who want to hear it that the window closes in a minute."""
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
            for subscription in found:
                body = words.window_closes(subscription.wishes.language, window.title)
                self._tell(subscription, _window_topic(window.id), body, window.closes_ms, urgency="high")

    def warning_of(self, event: WindowChanged) -> int | None:
        """When this window may have to be warned of; `next_warning` knows better."""
        return event.window.closes_ms - WARNING_MS if event.window.is_open and self.is_on else None

    def on_window(self, event: WindowChanged) -> None:
        window = event.window
        if not window.is_open:
            self._queue.drop_topic(_window_topic(window.id))
        elif window.id > self._last_window_id:  # else its end was moved
            self._last_window_id = window.id
            if self.is_on:
                self._read(_opened, self._on_opened)

    def on_posted(self, event: MessagePosted) -> None:
        message = event.message
        # An order names nobody and answers nobody; a preset is told of as a window.
        if self.is_on and message.kind in (Kind.TEXT, Kind.IMAGE):
            if message.reply_to is not None or may_mention(message.text):
                self._read(lambda tx: _named(tx, message.id), self._on_named)

    def on_edited(self, event: MessageEdited) -> None:
        message = event.message
        if self.is_on and (message.id in self._told or message.reply_to is not None or may_mention(message.text)):
            self._read(lambda tx: _named(tx, message.id), self._on_edited)

    def on_emptied(self, event: MessageEmptied) -> None:
        """A message was recalled or deleted: what is on its way is stopped, what may be on a screen is replaced."""
        self._replace(event.message.id, self._told.pop(event.message.id, {}), words.gone)

    def _on_opened(self, opened: tuple[OpenWindow | None, list[Subscription]]) -> None:
        window, found = opened
        for subscription in found if window else ():
            assert window is not None
            if subscription.user_id != window.opened_by:
                body = words.window_opened(subscription.wishes.language, window.title)
                self._tell(subscription, _window_topic(window.id), body, window.closes_ms, urgency="high")

    def _on_named(self, named: Named | None) -> None:
        if named is None:
            return
        message = named.message
        told = self._told.get(message.id, {})
        expires_ms = message.created_ms + min(self._settings.now.history_ms, NAMED_MS_MAX)
        for subscription, how in named.found:
            wishes = subscription.wishes
            if subscription.id in told and not wishes.words:
                continue  # who it is from was said already, and has not changed
            body = words.named(wishes.language, message, how, wishes.words)
            if self._tell(subscription, _message_topic(message.id), body, expires_ms, urgency="normal"):
                told = {**told, subscription.id: wishes.words}
        if told:
            self._told[message.id] = told

    def _on_edited(self, named: Named | None) -> None:
        if named is None:
            return
        message, told = named.message, self._told.get(named.message.id, {})
        still = {subscription.id for subscription, _ in named.found}
        outdated = {key: had_words for key, had_words in told.items() if had_words and key not in still}
        if outdated:
            self._replace(message.id, outdated, lambda language: words.edited(language, message))
            self._told[message.id] = {key: told[key] for key in told.keys() - outdated.keys()}
        self._on_named(named)

    def _replace(self, message_id: int, told: Mapping[int, bool], body: Callable[[str], str]) -> None:
        """Take back what was told of a message: out of the queue, else by another message in its place."""
        topic = _message_topic(message_id)
        left = [key for key in told if not self._queue.drop(key, topic)]

        def replace_for(found: list[Subscription]) -> None:
            for each in found:
                self._put(each, topic, body(each.wishes.language), None)

        if left:
            self._read(lambda tx: store.of_ids(tx, left), replace_for)

    def _tell(self, subscription: Subscription, topic: str, body: str, expires_ms: int, *, urgency: str) -> bool:
        """Queue a message unless its member is here or wants quiet; False where it is not queued."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, self._settings.now.timezone)
        if self._hub.is_online(subscription.user_id) or subscription.wishes.is_quiet(now.hour * 60 + now.minute):
            return False
        self._put(subscription, topic, body, expires_ms, urgency)
        return True

    def _put(
        self, subscription: Subscription, topic: str, body: str, expires_ms: int | None, urgency: str = "normal"
    ) -> None:
        """Without `expires_ms` it replaces what is shown, silently, for as long as the other may be kept."""
        alerts, until_ms = expires_ms is not None, expires_ms or self._clock.now_ms() + NAMED_MS_MAX
        payload = words.payload(self._settings.now.room_name, body, topic, alerts=alerts)
        self._queue.put(Push(subscription.id, topic, payload, urgency, until_ms))

    def _read(self, function: Callable[[Transaction], T], then: Callable[[T], object]) -> None:
        """Call `then` on the loop with what `function` reads; not at all where the database does not answer."""

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
        (MessageEdited, on_edited),
        (MessageEmptied, on_emptied),
    )


def _message_topic(message_id: int) -> str:
    """Also the header Topic of RFC 8030, section 5.4: at most 32 characters of base64url."""
    return f"message-{message_id}"


def _window_topic(window_id: int) -> str:
    return f"window-{window_id}"


def _windows(tx: Transaction) -> tuple[int, OpenWindow | None]:
    """The id of the newest window, 0 for none; and the open one."""
    last_id = tx.one("SELECT coalesce(max(id), 0) FROM windows")[0]
    row = tx.one("SELECT id, opened_ms, closes_ms, title, opened_by FROM windows WHERE closed_ms IS NULL")
    return last_id, OpenWindow(*row) if row else None


def _opened(tx: Transaction) -> tuple[OpenWindow | None, list[Subscription]]:
    return _windows(tx)[1], store.of_kind(tx, PushKind.OPENED)


def _closing(tx: Transaction) -> tuple[OpenWindow | None, list[Subscription]]:
    return _windows(tx)[1], store.of_kind(tx, PushKind.CLOSES)


def _named(tx: Transaction, message_id: int) -> Named | None:
    """None where the message is gone meanwhile."""
    message = message_store.get(tx, message_id)
    if message is None or message.state is not State.LIVE:
        return None
    if mentions_everybody(message.text, message.author.role):
        found = [(each, "all") for each in store.of_kind(tx, PushKind.NAMED)]
    else:
        hows = dict.fromkeys(mentioned(tx, message.text), "mention")
        original = message_store.get(tx, message.reply_to) if message.reply_to is not None else None
        if original is not None:
            hows.setdefault(original.author.id, "reply")
        found = [(each, hows[each.user_id]) for each in store.of_members(tx, PushKind.NAMED, hows)]
    return Named(message, [(each, how) for each, how in found if each.user_id != message.author.id])
