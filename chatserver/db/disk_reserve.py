"""Disk space that is kept free for erasing, so that a full disk can still forget.

To delete a row SQLite first writes to its log, and a full disk does not take that either. Then what
should expire would stay, and what was recalled could still be read, until the operator makes room.
So a file of some megabytes is kept for this alone: it is truncated while a function that erases
runs, in the connection's thread, where no post can use the space meanwhile, and is filled again
right after the log was emptied.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

# Enough for the log of an erasure, and for rewriting a database of a usual size.
SIZE = 8 * 1024 * 1024
# How often a reserve that is not whole tries to become so.
RETRY_SECONDS = 10.0


class DiskReserve:
    """The file at `path`. Used in the database's thread. Never raises: without a reserve the server goes on."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self.is_whole = False
        self._path = path
        self._size = size
        self._next_try = 0.0

    def fill(self) -> None:
        """Allocate the file's blocks. Does nothing when it is whole, or was tried within RETRY_SECONDS."""
        now = time.monotonic()
        if self.is_whole or now < self._next_try:
            return
        self._next_try = now + RETRY_SECONDS
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # The blocks are allocated, not only promised (posix_fallocate(3)).
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("no room for the disk reserve of %d bytes: %s", self._size, error)
            return
        self.is_whole = True

    @contextlib.contextmanager
    def release(self) -> Iterator[None]:
        """Free the space for the block; it is allocated again at the end, if the disk still has it."""
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
    """True when a write found no space: in the file itself, or (as an input/output error) in its shared memory."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
