"""The private parts of aiosqlite that the database relies on, as they are in version 0.22.1.

A whole batch runs as one function in aiosqlite's thread, because a switch to the thread costs 0.1 ms and
a statement only 5 µs. aiosqlite's public methods switch to the thread for each statement.
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
    """One sentence if the installed aiosqlite cannot be used; "" if it can."""
    if callable(getattr(aiosqlite.Connection, "_execute", None)) and hasattr(aiosqlite.Connection, "_conn"):
        return ""
    return f"aiosqlite {aiosqlite.__version__} does not fit: Connection._execute and ._conn are not as in 0.22.1"
