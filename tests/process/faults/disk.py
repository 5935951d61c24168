"""A disk that a test can fill and empty: a small file system in the kernel's memory."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


class Disk:
    """A file system of `mib` MiB at `path`, which can be filled and emptied."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Fill the disk to the last byte."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (1024 * 1024, 4096, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size):
                        pass

    def empty(self) -> None:
        self._filler.unlink()

    @property
    def free(self) -> int:
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize


@contextlib.contextmanager
def mounted(path: Path, mib: int) -> Iterator[Disk]:
    """Raises PermissionError if this process may not mount a file system."""
    path.mkdir()
    if sys.platform != "linux":
        raise PermissionError(errno.EPERM, "no small file system without Linux")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "chat-test", str(path)], capture_output=True, text=True
    )
    if done.returncode:
        raise PermissionError(errno.EPERM, done.stderr.strip())
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)
