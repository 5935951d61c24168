"""The User-Agent header of the current request. It tells the audit log which kind of device an act came from."""

from __future__ import annotations

from contextvars import ContextVar

# "" outside of a request: in timers and in the operator's commands.
USER_AGENT: ContextVar[str] = ContextVar("agent", default="")
