"""One process at a time has the data directory: the server, or an operator's command."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

from chatserver.db.migrations import DatabaseUnusable


class DataLocked(Exception):
    """Another process has the data directory."""


class DataLock:
    """An advisory lock on `chat.lock`. The kernel lets go of it when the process dies, however it dies."""

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "chat.lock"
        self._descriptor = -1

    def __enter__(self) -> DataLock:
        """Raises DataLocked when somebody else has it, DatabaseUnusable where nothing may be written."""
        try:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            # Tried again, it would be no different: so not an error like others.
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
