"""The set of WebSocket connections, and how one event reaches all of them."""

from chatserver.hub.connection import OUTBOX_MAX, Connection
from chatserver.hub.hub import Hub

__all__ = ["OUTBOX_MAX", "Connection", "Hub"]
