"""Opens the file, or says why not; and takes its schema, step by step, to today's.

The steps are `schema/NNNN_name.sql`, append-only, one transaction each; the number of the last one
stands in the file's `user_version`. Before the first of them a copy is made (precaution.py), and each
is told in the log: an operator who waits for a start should see why.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from chatserver.db import upgrade_copy

log = logging.getLogger(__name__)

# "chat" in ASCII: tells our files from other programs'.
APPLICATION_ID = 0x63686174


class DatabaseUnusable(Exception):
    """The file cannot be used and was not touched; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    name: str
    sql: str


def connect(path: Path, *, is_spare: bool = False) -> sqlite3.Connection:
    """A connection set up as this program needs it, on an up-to-date schema.

    One of an older schema is copied first, unless it `is_spare` itself: taken out of a backup, and in
    nobody's use. Raises DatabaseUnusable.
    """
    if path.exists() and path.stat().st_size:
        version = inspect(path)
        if 0 < version < newest_version():
            _prepare(path, version, is_spare)
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise DatabaseUnusable(f"{path}: {error}") from None
    try:
        path.chmod(0o600)
        _set_up(connection)
        _migrate(connection, is_quiet=is_spare)
    except (sqlite3.Error, OSError) as error:
        connection.close()
        raise DatabaseUnusable(f"{path}: {error}") from None
    except BaseException:
        connection.close()
        raise
    return connection


def newest_version() -> int:
    return _steps()[-1].number


def inspect(path: Path) -> int:
    """Look without touching: read-only, before anything could change a byte of it. The schema; 0: nothing yet."""
    try:
        connection = open_to_look(path)
        try:
            application = connection.execute("PRAGMA application_id").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            is_empty = connection.execute("SELECT 1 FROM sqlite_schema").fetchone() is None
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DatabaseUnusable(f"{path}: cannot be read as a database: {error}") from None
    if verdict != "ok":
        raise DatabaseUnusable(f"{path}: is damaged: {' '.join(str(verdict).split())}")
    # Nobody's, and empty: what a kill leaves between making the file and its first migration.
    is_unborn = is_empty and application == version == 0 and _begins_as_database(path)
    if application != APPLICATION_ID and not is_unborn:
        raise DatabaseUnusable(f"{path}: is not a database of this program")
    if version > newest_version():
        raise DatabaseUnusable(f"{path}: is newer (schema {version}) than this program ({newest_version()})")
    return int(version)


def open_to_look(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, for whoever has the data directory's lock.

    Where there is no log to read it asks for none, and leaves no files beside the database.
    """
    log = path.with_name(path.name + "-wal")
    alone = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{alone}", uri=True)


def _begins_as_database(path: Path) -> bool:
    """False for a file of a few stray bytes, which SQLite takes for an empty database."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _set_up(connection: sqlite3.Connection) -> None:
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"the file system does not allow a write-ahead log (got {mode})")
    # FULL: an acknowledged message is on the disk, not only in the kernel's memory.
    connection.execute("PRAGMA synchronous = FULL")
    # What was recalled must not lie about in freed pages, nor in a temporary file.
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_size_limit = 4194304")


def _prepare(path: Path, version: int, is_spare: bool) -> None:
    """Before a byte of the file changes: is there room for an upgrade, and a copy of what it was."""
    upgrade = f"schema upgrade from {version} to {newest_version()}"
    if missing := upgrade_copy.missing_bytes(path):
        raise DatabaseUnusable(f"{path}: the {upgrade} needs {missing:,} more bytes of free disk space")
    if is_spare:
        return
    log.warning("%s: starting the %s", path, upgrade)
    try:
        with contextlib.closing(open_to_look(path)) as source:
            copy = upgrade_copy.copy(source, path, version)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnusable(f"{path}: no copy could be made before the {upgrade}: {error}") from None
    log.warning("%s: copied to %s, which is deleted after 7 days", path, copy.name)


def _migrate(connection: sqlite3.Connection, is_quiet: bool) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for step in _steps():
        if step.number > version:
            _take(connection, step)
            if version and not is_quiet:  # a new room has nothing to wait for
                log.warning("schema version %d (%s) applied", step.number, step.name)


def _take(connection: sqlite3.Connection, step: _Step) -> None:
    """One step, wholly or not at all."""
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {step.number};\nCOMMIT;"
        )
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _steps() -> list[_Step]:
    folder = resources.files("chatserver.db") / "schema"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    return [
        _Step(int(entry.name[:4]), entry.name[5:].removesuffix(".sql"), entry.read_text(encoding="utf-8"))
        for entry in files
    ]
