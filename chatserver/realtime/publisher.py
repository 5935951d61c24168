"""From events to readers: each event is encoded once, and all frames of a batch are written together."""

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

    Listeners get each event after the readers: the newest messages, the timers, the eraser. An event that fails,
    by a fault of this program, is logged and takes nothing from the other events of its batch.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._listeners: dict[type[Event], list[Listener]] = {}
        # For each class of event that was published: the listeners of it and of its base classes.
        self._resolved: dict[type[Event], tuple[Listener, ...]] = {}
        self._replies: defaultdict[Connection, bytes] = defaultdict(bytes)

    def subscribe(self, kind: type[Event], listener: Listener) -> None:
        """Call `listener` with each event of class `kind` or of a subclass."""
        self._listeners.setdefault(kind, []).append(listener)
        self._resolved.clear()

    def reply(self, connection: Connection, frame: bytes) -> None:
        """Send a whole frame to the connection whose request was just committed, after the events of its batch.

        For answers that the database gives: they come before the batch is published, so the frame
        travels in the same write as the events.
        """
        self._replies[connection] += frame

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
                broadcast.append(frames.text(payload))
            else:
                private.append((event, frames.text(payload)))
        self._send(broadcast)
        for event, frame in private:
            if event.audience is Audience.ADMINISTRATORS:
                self._hub.send_to_administrators(frame)
            else:
                self._hub.send_to_user(event.user_id, frame)  # type: ignore[attr-defined]
        for event in events:
            for listener in self._listeners_of(type(event)):
                try:
                    listener(event)
                except Exception:
                    log.exception("a listener of %s failed", type(event).__name__)

    def _send(self, broadcast: list[bytes]) -> None:
        replies = self._replies
        if replies:
            self._replies = defaultdict(bytes)
        if broadcast:
            self._hub.broadcast(b"".join(broadcast), replies)
        else:  # a message that was sent again: it is new to no other reader
            for connection, frame in replies.items():
                self._hub.send(connection, frame)

    def _listeners_of(self, kind: type[Event]) -> tuple[Listener, ...]:
        found = self._resolved.get(kind)
        if found is None:
            bases = (base for base in reversed(kind.__mro__) if issubclass(base, Event))
            found = self._resolved[kind] = tuple(
                listener for base in bases for listener in self._listeners.get(base, ())
            )
        return found
