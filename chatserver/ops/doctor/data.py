"""The data directory: who may read it, how much room is left, whether the database is whole."""

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
from chatserver.db import data_dir, health, migrations
from chatserver.db.data_lock import DataLock, DataLocked
from chatserver.db.health import Health
from chatserver.db.migrations import DatabaseUnusable
from chatserver.http import secret_key
from chatserver.ops.control.client import ask
from chatserver.ops.doctor.findings import Finding, note, ok, problem, warning

FREE_MIN = 100 * 1024 * 1024
FREE_LOW = 1024 * 1024 * 1024
ANSWER_SECONDS = 30.0
# A clock that was set back by less is what time services do.
AHEAD_MS = 60_000

Answer = dict[str, Any]


def checks(config: Config) -> tuple[list[Finding], Answer | None]:
    """The findings, and what a running server answered to `look`; None where none runs."""
    directory = config.data_dir
    try:
        if not directory.exists():
            return [_would_be_made(directory), _space(directory)], None
        if not directory.is_dir():
            return [problem("data", f"{directory} is not a directory", "set CHAT_DATA_DIR to a directory")], None
        has_room = (directory / "chat.db").exists()
        if not has_room and data_dir.is_empty(directory):
            return [ok("data", f"{directory} is empty; the first start creates the database"), _space(directory)], None
        findings = [_permissions(directory), _space(directory)]
        if not has_room:
            return [*findings, note("database", f"no database in {directory} yet")], None
        found, answer = _database(config)
        return [*findings, _secret(directory), *found], answer
    except OSError as error:
        text = f"cannot be examined: {error.strerror}: {error.filename}"
        return [problem("data", text, "run this as the server's user, or as root")], None


def _would_be_made(directory: Path) -> Finding:
    parent = _nearest(directory)
    if not os.access(parent, os.W_OK | os.X_OK):
        return problem(
            "data", f"{directory} does not exist and {parent} is not writable", "create it, or choose another directory"
        )
    return ok("data", f"{directory} does not exist yet; the first start creates it")


def _nearest(directory: Path) -> Path:
    return next(path for path in directory.absolute().parents if path.exists())


def _permissions(directory: Path) -> Finding:
    """Everything in it is for one user alone: directories 0700, files 0600."""
    open_ones = [path for path in (directory, *sorted(directory.rglob("*"))) if _is_open(path)]
    if open_ones:
        more = f" and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
        return problem(
            "permissions",
            f"accessible by other users: {open_ones[0]}{more}",
            f"chmod -R u=rwX,go= {directory.absolute()}",
        )
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        advice = "run this as the server's user"
        return problem("permissions", f"{directory} is not writable by this user", advice)
    return ok("permissions", f"{directory} is accessible by its owner only")


def _is_open(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # erased since it was listed
        return False
    return not stat.S_ISLNK(found.st_mode) and path.name != ".gitkeep" and bool(found.st_mode & 0o077)


def _space(directory: Path) -> Finding:
    free = shutil.disk_usage(directory if directory.exists() else _nearest(directory)).free
    text = f"{free // (1024 * 1024):,} MiB free"
    if free < FREE_MIN:
        return problem("space", text, "free disk space: nothing can be posted when the disk is full")
    if free < FREE_LOW:
        return warning("space", text, "free disk space before the disk is full")
    return ok("space", text)


def _secret(directory: Path) -> Finding:
    path = directory / "secret.key"
    if not path.exists():
        return note("secret", "does not exist yet; the next start creates it")
    if path.stat().st_size != secret_key.SECRET_BYTES:
        return problem(
            "secret", f"{path} is damaged", "restore it from a backup, or delete it: the next start creates a new one"
        )
    return ok("secret", "present")


def _database(config: Config) -> tuple[list[Finding], Answer | None]:
    path = config.data_dir / "chat.db"
    # Without a lock file nobody has it, and one of root's making would keep the server's user out.
    has_lock = (config.data_dir / "chat.lock").exists()
    try:
        with DataLock(config.data_dir) if has_lock else contextlib.nullcontext():
            return _judged(path, _look(path)), None
    except DataLocked:
        pass
    except (DatabaseUnusable, sqlite3.Error) as error:
        why = str(error).removeprefix(f"{path}: ")
        return [problem("database", f"{path}: {why}", "restore a backup (docs/backup.md); keep this file")], None
    try:
        answer = asyncio.run(asyncio.wait_for(ask(config, "look", {}), ANSWER_SECONDS))
        return [ok("server", "running and answering"), *_judged(path, Health(**answer["database"]))], answer
    except DomainError as refusal:
        return [problem("database", f"the server cannot read it: {refusal}", "see the server's log")], None
    except (OSError, TimeoutError):
        text = f"{config.data_dir} is locked by another process that does not answer"
        return [problem("server", text, "check its log, stop it, and start the server again")], None


def _look(path: Path) -> Health:
    """Without the server, and without changing a byte."""
    migrations.inspect(path)
    connection = migrations.open_to_look(path)
    try:
        return health.look(connection)
    finally:
        connection.close()


def _judged(path: Path, found: Health) -> list[Finding]:
    findings = []
    if found.verdict != "ok":
        text = f"{path}: is damaged: {found.verdict}"
        findings.append(problem("database", text, "restore a backup (docs/backup.md); keep this file"))
    elif found.schema < migrations.newest_version():
        text = f"intact; schema {found.schema}, which the next start upgrades to {migrations.newest_version()}"
        findings.append(note("database", text, "make a backup before the upgrade"))
    else:
        findings.append(ok("database", f"intact; schema {found.schema}, {found.messages} messages"))
    ahead_ms = (found.newest_ms or 0) - time.time_ns() // 1_000_000
    if ahead_ms > AHEAD_MS:
        text = f"the newest message is {ahead_ms // 60_000} minutes in the future"
        advice = "correct the host's clock (timedatectl): it was ahead earlier, or is behind now"
        findings.append(problem("clock", text, advice))
    return findings
