"""The User-Agent header of the request that is at work: the audit log tells from which kind of device an act came."""

from __future__ import annotations

from contextvars import ContextVar

# "" for what no request asked for: timers, and the operator's commands.
USER_AGENT: ContextVar[str] = ContextVar("agent", default="")
