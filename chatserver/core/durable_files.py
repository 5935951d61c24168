"""Writes files that survive a power failure: content and names are on the disk only after fsync(2)."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """Write a new file with mode 0600 under a temporary name, and rename it once its content is on the disk.

    Raises OSError. A reader never sees a partial file. The name is on the disk only after `sync` of the directory.
    """
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)  # a crash left this file
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Write the content of a file, or the names in a directory, to the disk. Raises OSError.

    A file that was created or renamed survives a power failure only after its directory was synced too.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
