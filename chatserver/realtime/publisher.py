"""From events to readers: each event applied to the feed, encoded once, and a batch written as one."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable

from chatserver.core.events import (
    Event,
    MemberChanged,
    MessageAcknowledged,
    RecallSettled,
    SessionsEnded,
    SettingsChanged,
)
from chatserver.features.messages.recent import Feed
from chatserver.http.encode import Encoder
from chatserver.realtime import frames
from chatserver.realtime.connection import Connection
from chatserver.realtime.hub import Hub

log = logging.getLogger(__name__)

SESSION_ENDED = 4401
BANNED = 4403


class Publisher:
    """Called by the database's writer after each COMMIT, on the loop, in the order of the commits.

    `listeners` hear every event too, after the readers: the timers, the eraser, the known logins.
    """

    def __init__(self, feed: Feed, wire: Encoder, hub: Hub, listeners: list[Callable[[Event], None]]) -> None:
        self._feed = feed
        self._wire = wire
        self._hub = hub
        self._listeners = listeners

    def __call__(self, events: list[Event]) -> None:
        told: list[bytes] = []
        besides: defaultdict[Connection, bytes] = defaultdict(bytes)
        for event in events:
            if isinstance(event, MessageAcknowledged):
                if isinstance(event.reader, Connection):
                    besides[event.reader] += frames.text(self._wire.ack(event))
                continue
            posted = self._feed.apply(event)
            payload = self._wire.event(event, posted)
            if payload is not None:
                told.append(frames.text(payload))
        if told:
            self._hub.broadcast(b"".join(told), besides)
        else:  # sent again, and stored before: nothing is new to anybody else
            for reader, acks in besides.items():
                self._hub.send(reader, acks)
        for event in events:
            if isinstance(event, MessageAcknowledged):
                continue
            self._tell_privately(event)
            for listener in self._listeners:
                listener(event)

    def _tell_privately(self, event: Event) -> None:
        if isinstance(event, RecallSettled):
            self._hub.send_to_user(event.user_id, frames.text(self._wire.settled(event)))
        elif isinstance(event, MemberChanged):
            self._hub.refresh(event.user)
        elif isinstance(event, SessionsEnded):
            self._hub.close_sessions(event.session_ids, BANNED if event.banned else SESSION_ENDED)
        elif isinstance(event, SettingsChanged) and event.config.guests == "none":
            self._hub.close_guests(SESSION_ENDED)
