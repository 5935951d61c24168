"""Updates or closes a member's open connections when the member changes."""

from __future__ import annotations

from chatserver.features.accounts.events import MemberChanged, SessionsEnded
from chatserver.realtime.hub import Hub

# Close codes (RFC 6455, section 7.4.2: 4000 to 4999 are for applications).
SESSION_ENDED = 4401
BANNED = 4403


class MemberConnections:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def on_sessions_ended(self, event: SessionsEnded) -> None:
        """Close the connections of these sessions."""
        self._hub.close_sessions(event.session_ids, BANNED if event.banned else SESSION_ENDED)

    def on_member_changed(self, event: MemberChanged) -> None:
        """Give the member's connections the new name, avatar and role."""
        self._hub.refresh(event.user)

    LISTENERS = ((SessionsEnded, on_sessions_ended), (MemberChanged, on_member_changed))
