"""The functions that the scenario needs of an engine: a tab that opens pages, runs expressions, and gets clicks and
keys."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

# The timeout is long, because old engines on a busy machine are slow.
PATIENCE_SECONDS = 45
POLL_SECONDS = 0.1


class EngineError(Exception):
    """The engine refused a command. It does so while a page is being left, and accepts the command a moment later."""


class Tab(Protocol):
    """One page of one browser without cookies. A selector is CSS and names one visible element."""

    def open(self, address: str) -> None: ...

    def run(self, expression: str) -> Any:
        """The value of a JavaScript expression as JSON. If it is a promise, its result."""

    def press(self, selector: str) -> None:
        """Click with the pointer, in the middle of the element."""

    def type(self, text: str) -> None:
        """Type key by key into the focused element. A line feed is Enter."""


Start = Callable[[int, int], AbstractContextManager[Tab]]


@dataclass(frozen=True)
class Engine:
    """`find` returns the reason why the engine cannot start here, or "". `start(width, height)` opens a tab of about
    that size."""

    name: str
    find: Callable[[], str]
    start: Start


def until(tab: Tab, expression: str) -> Any:
    """Wait until an expression is true, and return its value. Raises AssertionError after PATIENCE_SECONDS."""
    over = time.monotonic() + PATIENCE_SECONDS
    refused: EngineError | None = None
    while time.monotonic() < over:
        try:
            if value := tab.run(expression):
                return value
        except EngineError as error:
            refused = error
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"it never came true: {expression}") from refused


def enter(tab: Tab, selector: str, text: str) -> None:
    """Click a field and type."""
    tab.press(selector)
    tab.type(text)


def one(selector: str) -> str:
    """An expression for the first visible element that matches."""
    return f"[...document.querySelectorAll({json.dumps(selector)})].find(node => node.getClientRects().length)"
