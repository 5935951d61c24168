"""Disk space that is reserved for erasing, so that content can be erased even if the disk is full.

To delete a row SQLite first writes to its log, and a full disk refuses that write too. Expired and recalled messages
would then stay readable until the operator frees space. So a file of some megabytes is kept for erasing alone. It is
truncated while a function that erases runs in the connection's thread, where no post can use the space meanwhile. It is
filled again immediately after the log was emptied.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from chatserver.core.storage_errors import is_transient

log = logging.getLogger(__name__)

# This is enough for the log of an erasure, and to rewrite a database of a usual size.
SIZE = 8 * 1024 * 1024
# The time between two attempts to fill an incomplete reserve.
RETRY_SECONDS = 10.0


class DiskReserve:
    """The file at `path`. Used in the database's thread. Never raises, because the server can run without a reserve."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self.is_whole = False
        self._path = path
        self._size = size
        self._next_try = 0.0

    def fill(self) -> None:
        """Allocate the file's blocks. Does nothing if all are allocated, or if the last attempt was within
        RETRY_SECONDS."""
        now = time.monotonic()
        if self.is_whole or now < self._next_try:
            return
        self._next_try = now + RETRY_SECONDS
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # Allocates blocks on the disk, instead of only setting the file size (posix_fallocate(3)).
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("no room for the disk reserve of %d bytes: %s", self._size, error)
            return
        self.is_whole = True

    @contextlib.contextmanager
    def release(self) -> Iterator[None]:
        """Free the space during the block. At the end allocate it again if the disk still has the space."""
        log.warning("the disk is full: erasing in the space of the disk reserve")
        with contextlib.suppress(OSError):
            os.truncate(self._path, 0)
        self.is_whole = False
        try:
            yield
        finally:
            self._next_try = 0.0
            self.fill()


def is_full(error: BaseException) -> bool:
    """True if a write found no space: in the file itself, or (as an input/output error) in its shared memory."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # Input/output errors about a lock or memory are transient.
    return (
        isinstance(error, sqlite3.Error)
        and code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
        and not is_transient(error)
    )
