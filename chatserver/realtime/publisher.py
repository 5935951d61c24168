"""Sends events to readers: each event is encoded once, and all frames of a batch are written together."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from chatserver.core.events import Audience, Event
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.hub import Hub

log = logging.getLogger(__name__)

Listener = Callable[[Any], None]


class Publisher:
    """Called by the database's writer after each COMMIT, on the loop, in the order of the commits.

    Listeners (the newest messages, the timers, the eraser) get each event after the readers. If an event fails because
    of a bug in this program, the error is logged, and the other events of the batch are not affected.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._listeners: dict[type[Event], list[Listener]] = {}
        # For each class of event that was published: the listeners of it and of its base classes.
        self._resolved: dict[type[Event], tuple[Listener, ...]] = {}
        # JSON for connections whose requests were just committed. It is sent in the same write as the events of the
        # batch, after them, because the database answers before it publishes.
        self.replies: defaultdict[Connection, list[bytes]] = defaultdict(list)

    def subscribe(self, kind: type[Event], listener: Listener) -> None:
        """Call `listener` with each event of class `kind` or of a subclass."""
        self._listeners.setdefault(kind, []).append(listener)
        self._resolved.clear()

    def __call__(self, events: list[Event]) -> None:
        broadcast: list[bytes] = []
        private: list[tuple[Event, bytes]] = []
        for event in events:
            try:
                payload = event.frame()
            except Exception:
                log.exception("encoding %s failed", type(event).__name__)
                continue
            if payload is None:
                continue
            if event.audience is Audience.ALL:
                broadcast.append(payload)
            else:
                private.append((event, payload))
        replies = {}
        if self.replies:
            for connection, payloads in self.replies.items():
                replies[connection] = frames.texts(payloads)
            self.replies = defaultdict(list)
        if broadcast:
            self._hub.broadcast(frames.texts(broadcast), replies)
        else:  # for example a message that was sent again, which is not new to other readers
            for connection, data in replies.items():
                self._hub.send(connection, data)
        for event, payload in private:
            if event.audience is Audience.ADMINISTRATORS:
                self._hub.send_to_administrators(frames.text(payload))
            else:
                self._hub.send_to_user(event.user_id, frames.text(payload))  # type: ignore[attr-defined]
        for event in events:
            listeners = self._resolved.get(type(event))
            for listener in self._listeners_of(type(event)) if listeners is None else listeners:
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener of %s failed", type(event).__name__)

    def _listeners_of(self, kind: type[Event]) -> tuple[Listener, ...]:
        bases = (base for base in reversed(kind.__mro__) if issubclass(base, Event))
        found = self._resolved[kind] = tuple(listener for base in bases for listener in self._listeners.get(base, ()))
        return found
