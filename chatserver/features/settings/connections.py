"""Closes open connections when a changed setting forbids them."""

from __future__ import annotations

from chatserver.features.accounts.connections import SESSION_ENDED
from chatserver.features.settings.settings import SettingsChanged
from chatserver.realtime.hub import Hub


class SettingsConnections:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def on_settings_changed(self, event: SettingsChanged) -> None:
        """Close guests' connections if guests may no longer read."""
        if event.config.guests == "none":
            self._hub.close_guests(SESSION_ENDED)

    LISTENERS = ((SettingsChanged, on_settings_changed),)
