"""The first step of backup and export: writes the database, the secrets and the pictures into one archive.

The archive is written to the directory of uploads, which is swept at the next start after a crash. The
operator's process opens it, deletes its name at once, and copies the content to its target, where the
server may not be allowed to write. So no file in the data directory keeps recalled content, and the
server spends no time on compression.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatserver import __version__
from chatserver.core.clock import Clock
from chatserver.core.config import ROOM_SETTINGS, CurrentConfig, as_text
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db import migrations
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.http import secret_key
from chatserver.media.files import MediaFiles
from chatserver.media.pinned_files import PinnedFiles
from chatserver.ops import archive, database_state
from chatserver.ops.database_copy import Copied, DatabaseCopier

log = logging.getLogger(__name__)

# The timeout in which the operator's process opens the archive; the archive is deleted after it.
HANDOVER_SECONDS = 5.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Snapshot:
    """The operations `snapshot` and `look`.

    `trim` erases the messages that are too old; `files_in_use` names all files of the media directory.
    """

    def __init__(
        self,
        database: Database,
        settings: CurrentConfig,
        clock: Clock,
        trim: Callable[[Transaction], None],
        files_in_use: Callable[[Transaction], list[str]],
        media: MediaFiles,
    ) -> None:
        self._database = database
        self._settings = settings
        self._copier = DatabaseCopier(database, clock, trim, files_in_use)
        self._media = media

    async def take(self, _: dict[str, Any]) -> dict[str, Any]:
        """Write an archive. Answers `file`, its path relative to the data directory, and the `settings` in force.

        The caller opens the file within HANDOVER_SECONDS and deletes it. Raises DomainError:
        `storage_full`; and OSError and sqlite3.Error.
        """
        config = self._settings.now
        target = await asyncio.to_thread(self._media.new_upload_path)
        try:
            await self._write(config.data_dir, target)
        except BaseException as error:
            await asyncio.to_thread(target.unlink, missing_ok=True)
            if _is_full(error):
                log.error("no archive could be written: %s", error)
                raise DomainError(ErrorCode.STORAGE_FULL) from error
            raise
        loop = asyncio.get_running_loop()
        delete = functools.partial(target.unlink, missing_ok=True)
        loop.call_later(HANDOVER_SECONDS, loop.run_in_executor, None, delete)
        return {
            "file": str(target.relative_to(config.data_dir)),
            "settings": {name: as_text(getattr(config, name)) for name in ROOM_SETTINGS},
        }

    async def look(self, _: dict[str, Any]) -> dict[str, Any]:
        """Answers the state of the `database` (a DatabaseState), and the public `address`, "" if none is set."""
        state = await self._database.between_batches(database_state.read)
        return {"database": asdict(state), "address": self._settings.now.base_url}

    async def _write(self, data_dir: Path, target: Path) -> None:
        database, pinned = await asyncio.to_thread(self._media.new_upload_path), PinnedFiles(self._media)
        try:
            copied = await self._copier.copy(database, pinned.pin)
            await asyncio.to_thread(_pack, target, copied, pinned, database, data_dir)
        finally:
            await asyncio.to_thread(_clean_up, database, pinned)

    OPERATIONS = {"snapshot": take, "look": look}


def _clean_up(database: Path, pinned: PinnedFiles) -> None:
    for path in database.parent.glob(f"{database.name}*"):  # SQLite may have left these files beside the database
        path.unlink(missing_ok=True)
    pinned.release()


def _pack(target: Path, copied: Copied, pinned: PinnedFiles, database: Path, data_dir: Path) -> None:
    contents = {archive.DATABASE: database}
    contents |= {path.name: path for path in secret_key.files(data_dir)}
    contents |= {f"media/{name}": pinned.paths[name] for name in copied.files if name in pinned.paths}
    manifest = archive.Manifest(
        program=__version__,
        schema=migrations.newest_version(),
        created=datetime.fromtimestamp(copied.created_ms / 1000, UTC).isoformat(timespec="seconds"),
        created_ms=copied.created_ms,
        epoch=copied.epoch,
        seq=copied.seq,
        messages=copied.messages,
        missing=tuple(name for name in copied.files if name in pinned.missing),
        files=(),
    )
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        archive.write(file, manifest, contents)


def _is_full(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in _FULL
