"""The room's alarms: recall windows, expiry, ordering windows, logins. One task each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import DeadlineTimer
from chatserver.core.events import Event, MessagePosted, SettingsChanged, WindowChanged
from chatserver.features.room import Room


class Timers:
    def __init__(self, room: Room, clock: Clock) -> None:
        self._room = room
        self._clock = clock
        self.recall = DeadlineTimer("recall", clock, room.recalling.next_settling, room.recalling.settle)
        self.expiry = DeadlineTimer("expiry", clock, room.history.next_expiry, room.history.expire)
        self.ordering = DeadlineTimer("ordering", clock, room.ordering.next_closing, room.ordering.close_due)
        self.logins = DeadlineTimer("logins", clock, room.logins.next_expiry, room.logins.expire)

    def on_event(self, event: Event) -> None:
        """Note the deadlines that an event has set."""
        if isinstance(event, MessagePosted):
            self.recall.wake_by(event.message.recall_until_ms)
            self.expiry.wake_by(event.message.created_ms + self._room.settings.now.history_ms)
        elif isinstance(event, WindowChanged) and event.window.is_open:
            self.ordering.wake_by(event.window.closes_ms)
        elif isinstance(event, SettingsChanged):
            self.expiry.wake_by(self._clock.now_ms())  # to look again: messages may be kept shorter now

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        timers = (self.recall, self.expiry, self.ordering, self.logins)
        tasks = [asyncio.create_task(alarm.run(), name=f"{alarm.name} timer") for alarm in timers]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
