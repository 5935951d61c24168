"""Exchanges the names of two directories in one step, so that each name always refers to a complete directory."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h


def swap_directories(one: Path, other: Path) -> None:
    """Exchange the names of two directories. Raises OSError, and changes nothing then.

    renameat2(2) does it in one step. If the file system does not support that, three renames do it, and
    between the first two the name `other` does not exist.
    """
    try:
        _rename_exchange(one, other)
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EINVAL):
            raise
        _rename_in_turn(one, other)


def _rename_exchange(one: Path, other: Path) -> None:
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:  # an old C library
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(other))


def _rename_in_turn(one: Path, other: Path) -> None:
    aside = one.with_name(f"{one.name}.aside")
    os.rename(other, aside)
    try:
        os.rename(one, other)
    except OSError:
        os.rename(aside, other)
        raise
    os.rename(aside, one)
