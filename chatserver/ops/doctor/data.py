"""Checks the data directory: permissions, free disk space, and whether the database is intact."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

from chatserver.core.config import Config
from chatserver.core.errors import DomainError
from chatserver.db import data_dir, migrations
from chatserver.db.data_lock import DataLock, DataLocked
from chatserver.db.migrations import DatabaseUnusable
from chatserver.http import secret_key
from chatserver.ops import database_state, restore
from chatserver.ops.control.client import ask
from chatserver.ops.control.server import PUSH_SOCKET
from chatserver.ops.database_state import DatabaseState
from chatserver.ops.doctor.findings import Finding, note, ok, problem, warning

FREE_MIN = 100 * 1024 * 1024
FREE_LOW = 1024 * 1024 * 1024
ANSWER_SECONDS = 30.0
# A time service may set the clock back by less than this.
AHEAD_MS = 60_000

Answer = dict[str, Any]


def checks(config: Config) -> tuple[list[Finding], Answer | None]:
    """The findings, and the running server's answer to the operation `look`; None if no server runs."""
    directory = config.data_dir
    try:
        if not directory.exists():
            return [_missing(directory), _space(directory), *_unfinished(directory)], None
        if not directory.is_dir():
            return [problem("data", f"{directory} is not a directory", "set CHAT_DATA_DIR to a directory")], None
        has_database = (directory / "chat.db").exists()
        if not has_database and data_dir.is_empty(directory):
            return [
                ok("data", f"{directory} is empty; the first start creates the database"),
                _space(directory),
                *_unfinished(directory),
            ], None
        findings = [_permissions(directory), _space(directory), *_unfinished(directory)]
        if not has_database:
            return [*findings, note("database", f"no database in {directory} yet")], None
        found, answer = _database(config)
        return [*findings, _secret(directory), *found], answer
    except OSError as error:
        text = f"cannot be examined: {error.strerror}: {error.filename}"
        return [problem("data", text, "run this as the server's user, or as root")], None


def _missing(directory: Path) -> Finding:
    parent = _nearest(directory)
    if not os.access(parent, os.W_OK | os.X_OK):
        return problem(
            "data", f"{directory} does not exist, and {parent} is not writable", "create it, or choose another"
        )
    return ok("data", f"{directory} does not exist yet; the first start creates it")


def _nearest(directory: Path) -> Path:
    return next(path for path in directory.absolute().parents if path.exists())


def _permissions(directory: Path) -> Finding:
    """Check that only one user may use the directory and its content: directories 0700, files 0600.

    The push socket is excluded, because others cannot reach it as long as the directory above it is closed to them.
    """
    meant = {directory / PUSH_SOCKET, (directory / PUSH_SOCKET).parent}
    open_ones = [path for path in (directory, *sorted(directory.rglob("*"))) if path not in meant and _is_open(path)]
    if open_ones:
        more = f" and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
        return problem(
            "permissions", f"other users may use {open_ones[0]}{more}", f"chmod -R u=rwX,go= {directory.absolute()}"
        )
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        advice = "run this as the server's user"
        return problem("permissions", f"{directory} is not writable by the user who runs this", advice)
    return ok("permissions", f"{directory} is accessible to its owner only")


def _is_open(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # the file was erased after it was listed
        return False
    return not stat.S_ISLNK(found.st_mode) and path.name != ".gitkeep" and bool(found.st_mode & 0o077)


def _space(directory: Path) -> Finding:
    free = shutil.disk_usage(directory if directory.exists() else _nearest(directory)).free
    text = f"{free // (1024 * 1024):,} MiB free"
    if free < FREE_MIN:
        return problem("space", text, "free space on that disk; when it is full nothing can be posted")
    if free < FREE_LOW:
        return warning("space", text, "free space on that disk before it is full")
    return ok("space", text)


def _unfinished(directory: Path) -> list[Finding]:
    return [
        warning(
            "restore",
            f"{path} was left by a restore that was killed; it holds a whole room",
            f"if no restore is running: rm -r {path}",
        )
        for path in restore.unfinished(directory)
    ]


def _secret(directory: Path) -> Finding:
    path = directory / "secret.key"
    if not path.exists():
        return note("secret", "there is none yet; the next start creates it")
    if path.stat().st_size != secret_key.SECRET_BYTES:
        return problem(
            "secret", f"{path} is damaged", "restore it from a backup, or delete it: the next start creates one"
        )
    return ok("secret", "exists and has the right size")


def _database(config: Config) -> tuple[list[Finding], Answer | None]:
    path = config.data_dir / "chat.db"
    # Without a lock file, no process uses the database. Do not create the file: if root runs this command, the server's
    # user could not open it.
    has_lock = (config.data_dir / "chat.lock").exists()
    try:
        with DataLock(config.data_dir) if has_lock else contextlib.nullcontext():
            return _findings(path, _read(path)), None
    except DataLocked:
        pass
    except (DatabaseUnusable, sqlite3.Error) as error:
        why = str(error).removeprefix(f"{path}: ")
        return [problem("database", f"{path}: {why}", "restore a backup (docs/backup.md); keep this file")], None
    try:
        answer = asyncio.run(asyncio.wait_for(ask(config, "look", {}), ANSWER_SECONDS))
        return [ok("server", "running and answering"), *_findings(path, DatabaseState(**answer["database"]))], answer
    except DomainError as refusal:
        return [problem("database", f"the server cannot read it: {refusal}", "see the server's log")], None
    except (OSError, TimeoutError):
        text = f"{config.data_dir} is locked by another process that does not answer"
        return [problem("server", text, "check its log, stop it, and start the server again")], None


def _read(path: Path) -> DatabaseState:
    """Read the database without the server, and without changing the file."""
    migrations.inspect(path)
    connection = migrations.open_read_only(path)
    try:
        return database_state.read(connection)
    finally:
        connection.close()


def _findings(path: Path, found: DatabaseState) -> list[Finding]:
    findings = []
    if found.verdict != "ok":
        text = f"{path}: is damaged: {found.verdict}"
        findings.append(problem("database", text, "restore a backup (docs/backup.md); keep this file"))
    elif found.schema < migrations.newest_version():
        text = f"is intact; schema {found.schema}, which the next start upgrades to {migrations.newest_version()}"
        findings.append(note("database", text, "make a backup before the upgrade"))
    else:
        findings.append(ok("database", f"is intact; schema {found.schema}, {found.messages} messages"))
    ahead_ms = (found.newest_ms or 0) - time.time_ns() // 1_000_000
    if ahead_ms > AHEAD_MS:
        text = f"the newest message is {ahead_ms // 60_000} minutes in the future"
        findings.append(problem("clock", text, "set the host's clock (timedatectl); it was fast, or is slow now"))
    return findings
