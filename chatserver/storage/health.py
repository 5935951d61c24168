"""How a database is: read only, by the server's own connection or by a doctor's."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """`verdict` is "ok" or SQLite's first complaint; `newest_ms` when the newest message was posted, or None."""

    schema: int
    verdict: str
    messages: int
    newest_ms: int | None


def look(connection: sqlite3.Connection) -> Health:
    """Reads the whole file: 10 ms for 10,000 messages. Raises sqlite3.Error where even that fails."""
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    count, newest_ms = connection.execute("SELECT count(*), max(created_ms) FROM messages").fetchone()
    return Health(schema, " ".join(str(verdict).split()), count, newest_ms)
