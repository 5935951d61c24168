"""Bytes that nobody needs, thrown overboard when the disk is full, so that erasing still works.

To delete a row SQLite first writes to its log, and a full disk does not take that either. Then what
should expire would stay, and what was recalled could still be read, for as long as nobody looks after
the disk. So a file of some megabytes is kept for nothing else: it is let go while a unit that erases
runs, in the connection's thread, where no post can take the room meanwhile, and is taken on again
right after, when the log has been folded in.
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

# Room for the log of an erasure, and for writing a database of a usual size anew.
SIZE = 8 * 1024 * 1024
# How often a ballast that is not whole tries to become so.
RETRY_SECONDS = 10.0


class DiskReserve:
    """The file at `path`. Used in the database's thread. Never raises: without ballast the room goes on."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self.is_whole = False
        self._path = path
        self._size = size
        self._next_try = 0.0

    def fill(self) -> None:
        """Fill the file up. Does nothing when it is whole, or was tried a moment ago."""
        now = time.monotonic()
        if self.is_whole or now < self._next_try:
            return
        self._next_try = now + RETRY_SECONDS
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                # The blocks are taken, not only promised (posix_fallocate(3)).
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError as error:
            log.warning("cannot allocate the disk reserve of %d bytes: %s", self._size, error)
            return
        self.is_whole = True

    @contextlib.contextmanager
    def release(self) -> Iterator[None]:
        """Room for what happens within; taken back at the end, if it is still there."""
        log.warning("disk full: disk reserve released, so that erasing can go on")
        with contextlib.suppress(OSError):
            os.truncate(self._path, 0)
        self.is_whole = False
        try:
            yield
        finally:
            self._next_try = 0.0
            self.fill()


def is_full(error: BaseException) -> bool:
    """True when a write found no room: in the file itself, or (as an input/output error) in its shared memory."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, sqlite3.Error) and code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
