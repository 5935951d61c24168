"""The state of a database: whether it can be written, and whether its file is intact."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from dataclasses import dataclass

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db import sequence
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction

# In bytes. With less free space a message with a picture may be refused.
FREE_MIN = 256 * 1024
# The database counts as not writable for this long after a refused write, even if a smaller write has succeeded since.
RECENT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Integrity:
    """`verdict` is "ok", or the first error that SQLite found."""

    schema: int
    verdict: str


async def probe(database: Database) -> None:
    """Wait until the database has answered a write.

    A refusal counts as an answer, because a restart does not help against a full disk.
    """
    with contextlib.suppress(DomainError):
        await database.run(sequence.touch)


async def check_writable(database: Database) -> None:
    """Write to the disk and wait until the write is on it. Raises DomainError: `storage_full`, `busy`."""

    def write(tx: Transaction) -> None:
        sequence.touch(tx)
        disk = os.statvfs(database.path.parent)
        if disk.f_bavail * disk.f_frsize < FREE_MIN:
            raise DomainError(ErrorCode.STORAGE_FULL)

    await database.run(write)
    if time.monotonic() - database.refused_at < RECENT_SECONDS:
        raise DomainError(ErrorCode.STORAGE_FULL)


def check_integrity(connection: sqlite3.Connection) -> Integrity:
    """Check the whole file: 10 ms for 10,000 messages. Raises sqlite3.Error if it cannot be read at all."""
    verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    schema = connection.execute("PRAGMA user_version").fetchone()[0]
    return Integrity(schema, " ".join(str(verdict).split()))
