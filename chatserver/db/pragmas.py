"""Sets up SQLite for the database in use, and for a copy that this program writes."""

from __future__ import annotations

import sqlite3
from typing import Literal


def set_up_database(connection: sqlite3.Connection) -> None:
    """Set up the connection of the database in use.

    Raises sqlite3.Error, also if the file system does not allow a write-ahead log.
    """
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system does not allow a write-ahead log (got {mode})")
    # With FULL an acknowledged message is on the disk, not only in the kernel's memory.
    connection.execute("PRAGMA synchronous = FULL")
    _set_up_common(connection)
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_size_limit = 4194304")


def set_up_copy(connection: sqlite3.Connection, journal: Literal["DELETE", "MEMORY"] = "DELETE") -> None:
    """Set up a copy. One process at a time opens it, so it needs neither a write-ahead log nor shared memory.

    Its header, copied from the database, still says WAL. With the exclusive lock SQLite can read such
    a file without shared memory and change the journal mode. `journal` is MEMORY for a copy that need not
    survive a crash. It is set in one step: after DELETE and then MEMORY, SQLite 3.44 and newer leave the journal file.
    """
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute(f"PRAGMA journal_mode = {journal}")
    _set_up_common(connection)


def _set_up_common(connection: sqlite3.Connection) -> None:
    # Erased content must not stay in free pages or in a temporary file.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")
