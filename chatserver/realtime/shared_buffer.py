"""Bytes for many sockets that the kernel keeps once, instead of a copy for each."""

from __future__ import annotations

import contextlib
import os

# Below this a copy costs less than what `sendfile` does besides. Above it, the copies were half of a busy room's time.
SHARED_MIN = 8 * 1024


class SharedBuffer:
    """`data`, and where it is long enough a file in memory of which `sendfile` lends every socket the same pages.

    The file is never written to again, and its pages outlive it for as long as a socket has not sent them.
    """

    __slots__ = ("_file", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._file = _file_of(data) if len(data) >= SHARED_MIN else None

    def send_to(self, fileno: int) -> int:
        """How many bytes the socket took, from the first. Raises OSError when it takes none."""
        if self._file is None:
            return os.write(fileno, self.data)
        return os.sendfile(fileno, self._file, 0, len(self.data))

    def close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _file_of(data: bytes) -> int | None:
    """None where there can be no such file: another system, or no descriptor or memory left."""
    if not hasattr(os, "memfd_create"):
        return None
    with contextlib.suppress(OSError):
        file = os.memfd_create("frames", os.MFD_CLOEXEC)
        with contextlib.suppress(OSError):
            if os.write(file, data) == len(data):
                return file
        os.close(file)
    return None
