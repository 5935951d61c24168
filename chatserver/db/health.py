"""How a database is: whether it can be written, and, read only, what is in it."""

from __future__ import annotations

import os
import sqlite3
import time
from dataclasses import dataclass

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction

# With less than this on the disk no message with a picture will be taken.
FREE_MIN = 256 * 1024
# A refused write counts for so long, though a smaller one has found a last gap since.
RECENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """`verdict` is "ok" or SQLite's first complaint; `newest_ms` when the newest message was posted, or None."""

    schema: int
    verdict: str
    messages: int
    newest_ms: int | None


async def check_writable(database: Database) -> None:
    """Write something, the whole way to the disk. Refuses with `storage_full`, `busy`."""

    def unit(tx: Transaction) -> None:
        sequence.touch(tx)
        disk = os.statvfs(database.path.parent)
        if disk.f_bavail * disk.f_frsize < FREE_MIN:
            raise DomainError(ErrorCode.STORAGE_FULL)

    await database.run(unit)
    if time.monotonic() - database.refused_at < RECENT_SECONDS:
        raise DomainError(ErrorCode.STORAGE_FULL)


def look(connection: sqlite3.Connection) -> Health:
    """Reads the whole file: 10 ms for 10,000 messages. Raises sqlite3.Error where even that fails."""
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    count, newest_ms = connection.execute("SELECT count(*), max(created_ms) FROM messages").fetchone()
    return Health(schema, " ".join(str(verdict).split()), count, newest_ms)
