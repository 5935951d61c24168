"""aiohttp's compiled function that unmasks a payload: 0.2 µs for 200 bytes."""

from __future__ import annotations

from chatserver.core import tuning
from chatserver.realtime import masking


def fastest() -> masking.Unmask:
    """aiohttp's function if aiohttp has it and optimisations are on; else the function of realtime/masking.py."""
    try:
        from aiohttp._websocket.helpers import websocket_mask
    except ImportError:
        return masking.unmask
    return websocket_mask if tuning.ENABLED else masking.unmask
