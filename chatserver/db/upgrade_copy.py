"""What is done before a schema changes: is there room, and a copy to go back to.

The copy stands beside the database, under its name with the schema's number. It is no backup that
keeps what members take back: it erases with the room (`clean`), and goes after a week.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

KEPT_SECONDS = 7 * 86_400
# The copy; the log of a step that writes every row anew, which is then folded in.
_SIZES = 3
_SPARE_BYTES = 16 * 1024 * 1024


def missing_bytes(database: Path) -> int:
    """How many bytes the disk lacks for an upgrade of `database`; 0 when there is room."""
    log = database.with_name(database.name + "-wal")
    size = database.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return max(0, _SIZES * size + _SPARE_BYTES - shutil.disk_usage(database.parent).free)


def copy(source: sqlite3.Connection, database: Path, schema: int) -> Path:
    """Copy `source`, a connection to `database`, to a file beside it; its path, once it is whole and on disk.

    It gets an epoch of its own: should it be put back, no page may take its history for the one that
    went on. Raises sqlite3.Error and OSError, and leaves no half a copy.
    """
    target = database.with_name(f"{database.name}.schema-{schema}")
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        # Without a log of its own: a copied header may ask for one.
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as made:
            source.backup(made)
            _alone(made)
            made.execute("UPDATE room SET epoch = lower(hex(randomblob(8)))")
            made.execute("VACUUM")
        _sync(partial)
        os.rename(partial, target)
        _sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return target


def copies(database: Path) -> list[Path]:
    """The copies that upgrades of `database` have left."""
    name = re.compile(re.escape(database.name) + r"\.schema-\d+")
    return sorted(path for path in database.parent.iterdir() if name.fullmatch(path.name))


def clean(copy: Path, first_id: int, erased: Sequence[int]) -> None:
    """Take out of a copy the messages below `first_id` and those of `erased`; a copy that is too old goes.

    What cannot be cleaned goes too: what was taken back must leave the disk, the copy need not stay.
    """
    made = copy.stat()
    if time.time() - made.st_mtime > KEPT_SECONDS:
        copy.unlink()
        return
    try:
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            _alone(connection)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE room SET first_id = max(first_id, ?)", (first_id,))
            gone = connection.execute(
                "DELETE FROM messages WHERE id < ? OR id IN (SELECT value FROM json_each(?))",
                (first_id, json.dumps(list(erased))),
            )
            connection.execute("COMMIT")
            if gone.rowcount:
                connection.execute("VACUUM")
        os.utime(copy, ns=(made.st_atime_ns, made.st_mtime_ns))
    except sqlite3.Error:
        copy.unlink(missing_ok=True)
        copy.with_name(copy.name + "-journal").unlink(missing_ok=True)


def _alone(connection: sqlite3.Connection) -> None:
    """Whoever opens a copy has it alone, so it needs neither a write-ahead log nor shared memory."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
