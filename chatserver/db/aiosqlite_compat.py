"""The private parts of aiosqlite that the database relies on, read in 0.22.1.

aiosqlite's thread is given a whole batch as one function: a hop to the thread costs 0.1 ms, a
statement 5 µs. Its public methods run one statement a hop.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

import aiosqlite


class ThreadConnection(aiosqlite.Connection):
    # `await run(function, *values)` calls `function(*values)` in the connection's thread.
    run: ClassVar[Callable[..., Awaitable[Any]]] = aiosqlite.Connection._execute

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn


def problem() -> str:
    """One sentence where the installed aiosqlite does not fit; "" where it does."""
    if callable(getattr(aiosqlite.Connection, "_execute", None)) and hasattr(aiosqlite.Connection, "_conn"):
        return ""
    return f"aiosqlite {aiosqlite.__version__} does not fit: Connection._execute and ._conn are not as in 0.22.1"
