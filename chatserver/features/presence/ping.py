"""The client's own ping. It is answered with the server's time, which the page's countdown uses."""

from __future__ import annotations

from typing import Any

from chatserver.core import json
from chatserver.core.clock import Clock
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.numbers import ID_MAX
from chatserver.http.client_frame import ClientFrame

TEXT_MAX = 64


class Ping:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def on_frame(self, frame: ClientFrame) -> None:
        """`{"type": "ping", "t": …}`: `t` is null, a number or a short text, and is sent back."""
        t = frame.fields.get("t")
        if not _can_be_echoed(t):
            raise DomainError(ErrorCode.BAD_REQUEST)
        frame.send(json.dumps({"type": "pong", "t": t, "now_ms": self._clock.now_ms()}))

    FRAMES = {"ping": on_frame}


def _can_be_echoed(t: Any) -> bool:
    if isinstance(t, str):
        return len(t) <= TEXT_MAX and t.isprintable()
    return t is None or (type(t) in (int, float) and abs(t) <= ID_MAX)
