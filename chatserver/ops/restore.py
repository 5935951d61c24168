"""`restore`: unpack and check a backup beside the data directory, then exchange the two directories in one step."""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatserver.core import durable_files
from chatserver.core.clock import SystemClock
from chatserver.db import data_dir as data_directory
from chatserver.db import health, migrations, sequence
from chatserver.db.data_lock import DataLock, DataLocked
from chatserver.db.migrations import DatabaseUnusable
from chatserver.db.transaction import Transaction
from chatserver.features.audit.record import AuditAct, record
from chatserver.ops import archive, signals
from chatserver.ops.failure import EXIT_DATABASE, CommandError
from chatserver.ops.swap_directories import swap_directories

_SPARE_BYTES = 16 * 1024 * 1024


def restore(data_dir: Path, source: Path, *, force: bool) -> dict[str, Any]:
    """Replace `data_dir` by the content of the archive `source`.

    Returns a description of the content, and the path where the old directory is `kept`. Raises CommandError,
    and changes nothing, if a server (or another command) uses the data directory, if it is not empty and `force`
    is false, or if the archive is damaged. The history gets a new epoch, so that an open page that has seen later
    changes does not confuse restored changes with them.
    """
    data_dir = data_dir.resolve()
    with _locked(data_dir):
        if not force and data_dir.exists() and not data_directory.is_empty(data_dir):
            raise CommandError(f"{data_dir} is not empty (--force restores anyway, and keeps what is there beside it)")
        staged = data_dir.with_name(f"{_staged_prefix(data_dir)}{secrets.token_hex(4)}")
        try:
            manifest = _unpack(source, staged)
            _prepare_database(source, staged / archive.DATABASE, manifest.created_ms)
            if data_dir.exists():
                data_directory.give_to_owner(staged, data_dir)
            with signals.defer_signals():  # between the exchange and the rename, `staged` is the old data directory
                kept = _put_in_place(staged, data_dir)
        finally:
            with signals.defer_signals():
                shutil.rmtree(staged, ignore_errors=True)
    return {
        "file": str(source),
        "data_dir": str(data_dir),
        "kept": str(kept) if kept else None,
        "created": manifest.created,
        "messages": manifest.messages,
        "media": manifest.media,
        "seq": manifest.seq,
    }


def unfinished(data_dir: Path) -> list[Path]:
    """The directories left by restores that were killed. Each may be as large as the room."""
    data_dir = data_dir.resolve()
    with contextlib.suppress(OSError):
        return sorted(data_dir.parent.glob(f"{glob.escape(_staged_prefix(data_dir))}*"))
    return []


def _staged_prefix(data_dir: Path) -> str:
    return f".{data_dir.name}.restoring-"


@contextlib.contextmanager
def _locked(data_dir: Path) -> Iterator[None]:
    """Hold the lock of an existing data directory. Create nothing if there is none."""
    if not data_dir.exists():
        if not data_dir.parent.is_dir():
            raise CommandError(f"no such directory: {data_dir.parent}")
        yield
        return
    if not data_dir.is_dir():
        raise CommandError(f"{data_dir} is not a directory")
    had_lock = (data_dir / "chat.lock").exists()
    lock = DataLock(data_dir)
    try:
        lock.__enter__()
    except DataLocked:
        raise CommandError(f"{data_dir} is in use; stop the server first") from None
    try:
        yield
    except BaseException:
        if not had_lock:
            (data_dir / "chat.lock").unlink(missing_ok=True)
        raise
    finally:
        lock.__exit__()


def _unpack(source: Path, staged: Path) -> archive.Manifest:
    """Unpack the archive into a new directory with mode 0700, and sync the files to disk."""
    try:
        with archive.opened(source) as opened:
            _check_space(source, opened.manifest, staged.parent)
            _check_schema(source, opened.manifest.schema)
            staged.mkdir(mode=0o700)
            for entry, pieces in opened.files():
                _write(staged / entry.name, pieces)
            return opened.manifest
    except archive.Damaged as damaged:
        raise CommandError(f"{source} {damaged}") from None


def _check_space(source: Path, manifest: archive.Manifest, directory: Path) -> None:
    free, needed = shutil.disk_usage(directory).free, manifest.total + _SPARE_BYTES
    if needed > free:
        raise CommandError(f"{source} needs {needed:,} bytes, and {directory} has {free:,} free")


def _check_schema(source: Path, schema: int) -> None:
    newest = migrations.newest_version()
    if schema > newest:
        raise CommandError(
            f"{source}: its database is newer (schema {schema}) than this program ({newest})", EXIT_DATABASE
        )


def _write(path: Path, pieces: Iterator[bytes]) -> None:
    for directory in reversed(path.parents):
        if not directory.exists():
            directory.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(descriptor)


def _prepare_database(source: Path, database: Path, created_ms: int) -> None:
    """Check the database, bring its schema up to date, start a new epoch, and record the restore in the audit log.

    `created_ms` is when the backup was made, in Unix ms.
    """
    try:
        _check_integrity(database)
        connection = migrations.connect(database, is_spare=True)
        try:
            tx = Transaction(connection)
            sequence.start_new_epoch(tx)
            record(tx, SystemClock().now_ms(), AuditAct.ROOM_RESTORE, None, created_ms=created_ms)
        finally:
            connection.close()
    except DatabaseUnusable as error:
        why = str(error).removeprefix(f"{database}: ")
        raise CommandError(f"{source}: its database {why}", EXIT_DATABASE) from None
    except sqlite3.Error as error:
        raise CommandError(f"{source}: its database is damaged: {error}", EXIT_DATABASE) from None


def _check_integrity(database: Path) -> None:
    connection = migrations.open_read_only(database)
    try:
        verdict = health.check_integrity(connection).verdict
        if verdict != "ok":
            raise DatabaseUnusable(f"is damaged: {verdict}")
        if connection.execute("PRAGMA foreign_key_check").fetchone():
            raise DatabaseUnusable("is damaged: a row refers to one that is missing")
    finally:
        connection.close()


def _put_in_place(staged: Path, data_dir: Path) -> Path | None:
    """Exchange the directories. Returns the path where the old one is kept; None if it was empty or missing."""
    for directory in (staged, *(path for path in staged.rglob("*") if path.is_dir())):
        durable_files.sync(directory)
    if not data_dir.exists():
        os.rename(staged, data_dir)
        durable_files.sync(data_dir.parent)
        return None
    was_empty = data_directory.is_empty(data_dir)
    if was_empty and (data_dir / ".gitkeep").exists():
        (staged / ".gitkeep").touch()
    try:
        swap_directories(staged, data_dir)
    except OSError as error:
        raise CommandError(f"{data_dir} cannot be replaced ({error.strerror}); is it a mount point?") from None
    kept = None if was_empty else _free_name(data_dir)
    if kept:
        os.rename(staged, kept)
    durable_files.sync(data_dir.parent)
    return kept


def _free_name(data_dir: Path) -> Path:
    name = f"{data_dir.name}.before-restore-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    path, number = data_dir.with_name(name), 1
    while os.path.lexists(path):
        path, number = data_dir.with_name(f"{name}-{number}"), number + 1
    return path
