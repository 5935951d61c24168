"""When a file or a name in a directory is on the disk: after fsync(2), not before."""

from __future__ import annotations

import os
from pathlib import Path


def sync(path: Path) -> None:
    """Write a file's content to the disk; of a directory, the names in it. Raises OSError.

    A file that was created or renamed survives a power failure only after its directory was synced too.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
