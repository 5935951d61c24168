"""Copies the database as of one commit, while the server runs.

There are two steps. First SQLite's backup interface copies the pages with one call, in the connection's thread, between
two batches: 0.5 ms for 100 messages, 80 ms for 100,000. With several calls, each commit and each VACUUM between them
would restart the copy. Second, the copy is vacuumed, because the unused parts of its pages still hold erased content.
This runs in the caller's thread, so it delays no other caller.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from chatserver.db import pragmas
from chatserver.db.transaction import Transaction

T = TypeVar("T")


def copy_pages(raw: sqlite3.Connection, path: Path) -> None:
    """Copy the database of `raw`, which must be in no transaction, into a new file with mode 0600."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        # No other process opens the copy, and a partial copy is deleted after a crash.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        raw.backup(copy)
    finally:
        copy.close()


def finish(path: Path, transaction: Callable[[Transaction], T]) -> T:
    """Run `transaction` on the copy at `path`, then vacuum it to one file without a log and without erased content."""
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        pragmas.set_up_copy(copy, "MEMORY")  # if the program crashes, the incomplete copy is deleted
        copy.execute("BEGIN IMMEDIATE")
        result = transaction(Transaction(copy))
        copy.execute("COMMIT")
        copy.execute("VACUUM")
        return result
    finally:
        copy.close()
