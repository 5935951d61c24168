"""Opens the database file, or says why it cannot be used, and brings its schema up to date.

The steps are `schema/NNNN_name.sql`, append-only, one transaction each; the number of the last one
is in the file's `user_version`. Before the first step a copy is made (upgrade_copy.py). Each step is
logged, so that an operator who waits for a start sees its progress.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from chatserver.db import pragmas, upgrade_copy

log = logging.getLogger(__name__)

# "chat" in ASCII: distinguishes this program's databases from others.
APPLICATION_ID = 0x63686174


class DatabaseUnusable(Exception):
    """The file cannot be used and was not changed. The message is one line that names the file."""


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    name: str
    sql: str


def connect(path: Path, *, is_spare: bool = False) -> sqlite3.Connection:
    """Open a connection, set it up as this program needs it, and bring its schema up to date.

    A database of an older schema is copied first, unless `is_spare`: then it was unpacked from a backup
    and is not in use. Raises DatabaseUnusable.
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
        pragmas.set_up_database(connection)
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
    """Check the file through a read-only connection, before it is changed. Returns its schema version, 0 for an empty
    file."""
    try:
        connection = open_read_only(path)
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
    # An empty file is left if the server was killed after it created the file and before the first migration.
    is_new = is_empty and application == version == 0 and _begins_as_database(path)
    if application != APPLICATION_ID and not is_new:
        raise DatabaseUnusable(f"{path}: is not a database of this program")
    if version > newest_version():
        raise DatabaseUnusable(f"{path}: is newer (schema {version}) than this program ({newest_version()})")
    return int(version)


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a read-only connection. The process must have the data directory's lock.

    If there is no write-ahead log to read, SQLite creates no files beside the database.
    """
    log = path.with_name(path.name + "-wal")
    immutable = "" if log.exists() and log.stat().st_size else "&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True)


def _begins_as_database(path: Path) -> bool:
    """Check the first 16 bytes, because SQLite treats a very short file of other content as an empty database."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def _prepare(path: Path, version: int, is_spare: bool) -> None:
    """Check the disk space for an upgrade, and make the copy, before the file changes."""
    upgrade = f"schema upgrade from {version} to {newest_version()}"
    if missing := upgrade_copy.missing_bytes(path):
        raise DatabaseUnusable(f"{path}: the {upgrade} needs {missing:,} more bytes of free disk space")
    if is_spare:
        return
    log.warning("%s: starting the %s", path, upgrade)
    try:
        with contextlib.closing(open_read_only(path)) as source:
            copy = upgrade_copy.copy(source, path, version)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseUnusable(f"{path}: no copy could be made before the {upgrade}: {error}") from None
    log.warning("%s: copied to %s, which is deleted after a week", path, copy.name)


def _migrate(connection: sqlite3.Connection, is_quiet: bool) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for step in _steps():
        if step.number > version:
            _take(connection, step)
            if version and not is_quiet:  # a new database is not an upgrade
                log.warning("schema version %d (%s) applied", step.number, step.name)


def _take(connection: sqlite3.Connection, step: _Step) -> None:
    """Apply one step, in one transaction."""
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
