"""Before a schema upgrade: checks the disk space, and makes a copy of the database to go back to.

The copy is beside the database; its name is the database's name and the schema's number. It does not
keep messages that members recall: `clean` erases from the copy what was erased in the database, and
deletes the copy after a week.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from chatserver.core import durable_files
from chatserver.db import pragmas, sequence
from chatserver.db.transaction import Transaction

KEPT_SECONDS = 7 * 86_400
# The space for an upgrade, in sizes of the database: the copy, the log of a step that rewrites every row, and the
# checkpoint of that log.
_SIZES = 3
_SPARE_BYTES = 16 * 1024 * 1024


def missing_bytes(database: Path) -> int:
    """How many bytes the disk lacks for an upgrade of `database`; 0 if there is enough space."""
    log = database.with_name(database.name + "-wal")
    size = database.stat().st_size + (log.stat().st_size if log.exists() else 0)
    return max(0, _SIZES * size + _SPARE_BYTES - shutil.disk_usage(database.parent).free)


def copy(source: sqlite3.Connection, database: Path, schema: int) -> Path:
    """Copy `source`, a connection to `database`, to a file beside it. Returns its path once it is complete and on disk.

    The copy gets a new epoch, so that pages do not take its history for the newer history if the copy is
    put back. Raises sqlite3.Error and OSError, and leaves no partial copy.
    """
    target = database.with_name(f"{database.name}.schema-{schema}")
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            source.backup(connection)
            pragmas.set_up_copy(connection)
            sequence.start_new_epoch(Transaction(connection))
            connection.execute("VACUUM")
        durable_files.sync(partial)
        os.rename(partial, target)
        durable_files.sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)
    return target


def copies(database: Path) -> list[Path]:
    """The copies that upgrades of `database` have left."""
    name = re.compile(re.escape(database.name) + r"\.schema-\d+")
    return sorted(path for path in database.parent.iterdir() if name.fullmatch(path.name))


def clean(copy: Path, erase: Callable[[Transaction], int]) -> None:
    """Run `erase`, which returns how many rows it deleted, on a copy; delete a copy that is older than a week.

    A copy that cannot be cleaned is deleted too, because erased content must leave the disk.
    """
    before = copy.stat()
    if time.time() - before.st_mtime > KEPT_SECONDS:
        copy.unlink()
        return
    try:
        with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            pragmas.set_up_copy(connection)
            connection.execute("BEGIN IMMEDIATE")
            deleted = erase(Transaction(connection))
            connection.execute("COMMIT")
            if deleted:
                connection.execute("VACUUM")
        # Keep the modification time of the copy, because its age counts from the upgrade.
        os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    except sqlite3.Error:
        copy.unlink(missing_ok=True)
        copy.with_name(copy.name + "-journal").unlink(missing_ok=True)
