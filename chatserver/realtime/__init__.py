"""The WebSocket connections, and how one event reaches all of them."""
