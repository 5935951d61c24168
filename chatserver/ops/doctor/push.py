"""Checks push notifications: whether they are on, `chatserver push` runs, and its messages are delivered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chatserver.core.config import Config
from chatserver.ops.control.client import ask
from chatserver.ops.doctor.findings import Finding, note, ok, warning

_START = "start the process `chatserver push` (docs/operating.md#push-notifications)"


def checks(config: Config, answer: dict[str, Any] | None) -> Iterator[Finding]:
    """`answer` is the running server's answer to the operation `look`; None if no server runs."""
    if answer is None:
        yield note("push", "not checked: no server is running")
        return
    figures = asyncio.run(ask(config, "push_figures", {}))
    if not figures["is_on"]:
        yield note("push", "notifications are off", "to offer them, see docs/operating.md#push-notifications")
        return
    if not figures["is_installed"]:
        yield warning("push", "notifications are on, but not installed", "install the extra `push`, and restart")
        return
    yield delivery(figures)


def delivery(figures: dict[str, Any]) -> Finding:
    """The finding for a room with notifications on. `figures` is a PushFigures as JSON (features/push/delivery.py)."""
    outcomes, waiting = figures["outcomes"], figures["waiting"]
    if not figures["is_running"]:
        text = f"nothing has asked for messages in the last 90 s; {_messages(waiting)} waiting"
        return warning("push", text, _START)
    if outcomes["failed"] and not outcomes["sent"]:
        text = f"no push service has taken a message since the start; {_messages(outcomes['failed'])} refused"
        return warning("push", text, "see the log of `chatserver push`")
    last = (
        "none sent since the start" if figures["last_sent_ms"] is None else f"last sent {_at(figures['last_sent_ms'])}"
    )
    return ok("push", f"`chatserver push` is running; {last}; {_messages(waiting)} waiting")


def _messages(count: int) -> str:
    return f"{count} message{'s' * (count != 1)}"


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
