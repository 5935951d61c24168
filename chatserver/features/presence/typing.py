"""Tells all readers which members are typing. Nothing is stored."""

from __future__ import annotations

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.rate_limit import MinInterval
from chatserver.db.database import Database
from chatserver.features.accounts import permissions
from chatserver.http.client_frame import ClientFrame
from chatserver.realtime import frames
from chatserver.realtime.hub import Hub

INTERVAL_SECONDS = 2.0


class Typing:
    def __init__(self, database: Database, clock: Clock, hub: Hub) -> None:
        self._database = database
        self._clock = clock
        self._hub = hub
        self._interval = MinInterval(clock)

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "typing"}`. Broadcast at most once in INTERVAL_SECONDS for each member; more frames are dropped."""
        user = frame.user
        if self._interval.wait_ms(user.id, INTERVAL_SECONDS):
            return
        self._interval.record(user.id)
        await self._database.run(lambda tx: permissions.require_speaker(tx, user, self._clock.now_ms()))
        self._hub.broadcast(frames.text(json.dumps({"type": "typing", "user": user.name})))

    FRAMES = {"typing": on_frame}
