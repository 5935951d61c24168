"""What the scenario needs of an engine: a tab that opens pages, runs expressions, and takes presses and keys."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

# Old engines on a busy machine are slow; nothing here is meant to take long.
PATIENCE_SECONDS = 45
POLL_SECONDS = 0.1


class EngineError(Exception):
    """The engine refused a command. While a page is being left it does, and a moment later it does not."""


class Tab(Protocol):
    """One page of one browser without cookies. Selectors are CSS and name one element that can be seen."""

    def open(self, address: str) -> None: ...

    def run(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression; a promise is awaited."""

    def press(self, selector: str) -> None:
        """With the pointer, in the middle of the element."""

    def type(self, text: str) -> None:
        """Key by key, into what has the focus; a newline is Enter."""


Start = Callable[[int, int], AbstractContextManager[Tab]]


@dataclass(frozen=True)
class Engine:
    """`find` returns why it cannot be started here, or "". `start(width, height)` opens a tab of about that size."""

    name: str
    find: Callable[[], str]
    start: Start


def until(tab: Tab, expression: str) -> Any:
    """Wait for an expression to be true; its value. AssertionError after PATIENCE_SECONDS."""
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
    """Press a field and type."""
    tab.press(selector)
    tab.type(text)


def one(selector: str) -> str:
    """An expression for the first element that can be seen and matches."""
    return f"[...document.querySelectorAll({json.dumps(selector)})].find(node => node.getClientRects().length)"
