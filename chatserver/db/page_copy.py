"""A copy of the database as of one commit, made while the server runs.

Two steps. The pages are copied in the connection's thread, between two batches, by SQLite's backup
interface in one call: 0.5 ms for 100 messages, 80 ms for 100,000. In smaller steps each commit in
between, and each VACUUM after an erasure, would restart the copy. The unused parts of the pages still
hold erased content, so the copy is then vacuumed in the caller's thread, which delays no other caller.
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
    """Copy all of `raw`, which is in no transaction, into a new file with mode 0600."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        # No other process opens it, and half a copy is deleted after a crash.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        raw.backup(copy)
    finally:
        copy.close()


def finish(path: Path, transaction: Callable[[Transaction], T]) -> T:
    """Run `transaction` on the copy at `path`, then vacuum it: one file, without a log, with no erased content."""
    copy = sqlite3.connect(path, isolation_level=None)
    try:
        pragmas.set_up_copy(copy, "MEMORY")  # a crash leaves a copy that is deleted anyway
        copy.execute("BEGIN IMMEDIATE")
        result = transaction(Transaction(copy))
        copy.execute("COMMIT")
        copy.execute("VACUUM")
        return result
    finally:
        copy.close()
