"""Which errors of the disk and of the database are transient (`busy`), and which are not (`storage_full`)."""

from __future__ import annotations

import errno
import sqlite3

from chatserver.core.errors import DomainError, ErrorCode

RETRY_AFTER_MS = 2_000

# Another process holds the file or a lock on it, or the system lacks something other than disk space.
_TRANSIENT_ERRNO = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ENOLCK, errno.ETIMEDOUT}
)
_TRANSIENT = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM})
# Input/output errors that are about a lock or memory (extended codes, sqlite.org/rescode.html).
_TRANSIENT_EXTENDED = frozenset(
    {
        sqlite3.SQLITE_IOERR_BLOCKED,
        sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
        sqlite3.SQLITE_IOERR_LOCK,
        sqlite3.SQLITE_IOERR_NOMEM,
        sqlite3.SQLITE_IOERR_RDLOCK,
    }
)


def is_transient(error: BaseException) -> bool:
    """True if the same operation may succeed a moment later."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0)
        return code & 0xFF in _TRANSIENT or code in _TRANSIENT_EXTENDED
    return isinstance(error, OSError) and error.errno in _TRANSIENT_ERRNO


def refusal(error: BaseException) -> DomainError:
    """`busy` for a transient error, else `storage_full` (no space, or a failure to write)."""
    if is_transient(error):
        return DomainError(ErrorCode.BUSY, retry_after_ms=RETRY_AFTER_MS)
    return DomainError(ErrorCode.STORAGE_FULL)
