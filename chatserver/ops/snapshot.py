"""The command that backups and exports begin with: everything the room keeps, in one archive for its operator.

The archive is made among the uploads, where a start sweeps what a crash leaves. The operator's
process opens it and takes its name away at once, then copies it to wherever the operator may
write and the server may not. So what is recalled a moment later stays under no name in the data
directory, and compressing costs the server nothing.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatserver import __version__
from chatserver.core.config import ROOM_SETTINGS, shown
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db import migrations
from chatserver.features.room import Room
from chatserver.http import secret_key
from chatserver.media.files import MediaFiles
from chatserver.media.pinned_files import PinnedFiles
from chatserver.ops import archive
from chatserver.ops.database_copy import Copied

log = logging.getLogger(__name__)

# An operator's process that has not opened the archive by then never will.
HANDOVER_SECONDS = 5.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


async def take(room: Room) -> dict[str, Any]:
    """Answers `file`, the archive's path from the data directory, and the room's `settings` in force.

    Whoever asks opens the file at once and removes it. Refuses with `storage_full`; what else the
    disk does to us is raised.
    """
    config = room.settings.now
    media = MediaFiles(config.data_dir / "media")
    target = await asyncio.to_thread(media.incoming)
    try:
        await _make(room, media, config.data_dir, target)
    except BaseException as error:
        await asyncio.to_thread(target.unlink, missing_ok=True)
        if _is_full(error):
            log.error("backup failed: %s", error)
            raise DomainError(ErrorCode.STORAGE_FULL) from error
        raise
    loop = asyncio.get_running_loop()
    erase = functools.partial(target.unlink, missing_ok=True)
    loop.call_later(HANDOVER_SECONDS, loop.run_in_executor, None, erase)
    return {
        "file": str(target.relative_to(config.data_dir)),
        "settings": {name: shown(getattr(config, name)) for name in ROOM_SETTINGS},
    }


async def _make(room: Room, media: MediaFiles, data_dir: Path, target: Path) -> None:
    database, pinned = await asyncio.to_thread(media.incoming), PinnedFiles(media)
    try:
        copied = await room.keeping.copy(database, pinned.hold)
        await asyncio.to_thread(_pack, target, copied, pinned, database, data_dir)
    finally:
        await asyncio.to_thread(_tidy, database, pinned)


def _tidy(database: Path, pinned: PinnedFiles) -> None:
    database.unlink(missing_ok=True)
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
