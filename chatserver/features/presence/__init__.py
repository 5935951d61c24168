"""The list of connected members, the room page and its WebSocket."""
