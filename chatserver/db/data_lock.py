"""A lock that lets only one process at a time use the data directory: the server, or an operator's command."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from chatserver.db.migrations import DatabaseUnusable


class DataLocked(Exception):
    """Another process uses the data directory."""


class DataLock:
    """An advisory lock on `chat.lock`. The kernel releases it when the process ends, also after SIGKILL."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "chat.lock"
        self._descriptor = -1

    def __enter__(self) -> DataLock:
        """Raises DataLocked if another process has the lock, DatabaseUnusable if the directory is not writable."""
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            # A restart would not help, so this has the exit code of an unusable database.
            if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
                database = self._path.with_name("chat.db")
                raise DatabaseUnusable(f"{database}: cannot be written: {error.strerror}") from None
            raise
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise DataLocked(str(self._path)) from None
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._descriptor)
