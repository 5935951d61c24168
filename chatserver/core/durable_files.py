"""When a file or a name in a directory is on the disk: after fsync(2), not before."""

from __future__ import annotations

import os
from pathlib import Path


def write(path: Path, data: bytes) -> None:
    """A new file with mode 0600 under a temporary name, renamed when its content is on the disk. Raises OSError.

    A reader never sees a part of it. The name is on the disk only after `sync` of the directory.
    """
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)  # left by a crash
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
    """Write a file's content to the disk; of a directory, the names in it. Raises OSError.

    A file that was created or renamed survives a power failure only after its directory was synced too.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
