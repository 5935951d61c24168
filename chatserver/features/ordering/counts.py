"""Broadcasts the counts of the open window to all readers, at most once a second, even if many orders come."""

from __future__ import annotations

import asyncio

from chatserver.core.clock import Clock
from chatserver.features.ordering.events import OrdersCounted, WindowChanged
from chatserver.features.ordering.model import OrderingWindow
from chatserver.realtime import frames
from chatserver.realtime.hub import Hub

INTERVAL_SECONDS = 1.0


class OrderCounts:
    def __init__(self, clock: Clock, hub: Hub) -> None:
        self._clock = clock
        self._hub = hub
        self._timer: asyncio.TimerHandle | None = None
        self._next_at = 0.0
        self._window: OrderingWindow | None = None

    def on_counted(self, event: OrdersCounted) -> None:
        if not event.window.is_open:
            return  # a correction after the close is announced by a message
        self._window = event.window
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time(), self._next_at), self._broadcast)

    def on_changed(self, event: WindowChanged) -> None:
        """Cancel the pending broadcast, because readers have just got the window with its counts."""
        self.stop()
        self._next_at = asyncio.get_running_loop().time() + INTERVAL_SECONDS

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _broadcast(self) -> None:
        self._timer = None
        assert self._window is not None
        self._next_at = asyncio.get_running_loop().time() + INTERVAL_SECONDS
        event = WindowChanged(self._window, self._clock)
        self._hub.broadcast(frames.text(event.frame()))

    LISTENERS = ((OrdersCounted, on_counted), (WindowChanged, on_changed))
