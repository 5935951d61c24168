"""The room's alarms: recall windows, expiry, ordering windows, logins. One task each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatserver.core.clock import Clock
from chatserver.core.deadline_timer import Alarm
from chatserver.core.events import Event, MessagePosted, SettingsChanged, WindowChanged
from chatserver.features.room import Room


class Alarms:
    def __init__(self, room: Room, clock: Clock) -> None:
        self._room = room
        self._clock = clock
        self.recall = Alarm("recall", clock, room.recalling.next_settling, room.recalling.settle)
        self.expiry = Alarm("expiry", clock, room.history.next_expiry, room.history.expire)
        self.ordering = Alarm("ordering", clock, room.ordering.next_closing, room.ordering.close_due)
        self.logins = Alarm("logins", clock, room.logins.next_expiry, room.logins.expire)

    def heed(self, event: Event) -> None:
        """Note the deadlines that an event has set."""
        if isinstance(event, MessagePosted):
            self.recall.no_later_than(event.message.recall_until_ms)
            self.expiry.no_later_than(event.message.created_ms + self._room.settings.now.history_ms)
        elif isinstance(event, WindowChanged) and event.window.is_open:
            self.ordering.no_later_than(event.window.closes_ms)
        elif isinstance(event, SettingsChanged):
            self.expiry.no_later_than(self._clock.now_ms())  # to look again: messages may be kept shorter now

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        alarms = (self.recall, self.expiry, self.ordering, self.logins)
        tasks = [asyncio.create_task(alarm.run(), name=f"{alarm.name} timer") for alarm in alarms]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
