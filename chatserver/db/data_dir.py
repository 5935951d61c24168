"""The data directory itself: made for its user alone, and empty or not."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# What an empty directory may hold: a checkout's own mark, and the lock that asking left behind.
_NOTHING = {".gitkeep", "chat.lock"}


def prepare(data_dir: Path) -> None:
    """Make it with mode 0700; tighten one that is there but empty, such as a checkout's. Raises OSError."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Only while it is empty: whoever names a directory of other things by mistake must not lose access to them.
    if data_dir.stat().st_mode & 0o077 and is_empty(data_dir):
        with contextlib.suppress(PermissionError):  # somebody else's, lent to us
            data_dir.chmod(0o700)


def is_empty(directory: Path) -> bool:
    """True when nothing would be lost with it: it holds nothing, or only empty directories. Raises OSError."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not is_empty(Path(entry.path)):
                    return False
            elif entry.name not in _NOTHING:
                return False
    return True


def give(directory: Path, like: Path) -> None:
    """What root made in `directory` goes to the owner of `like`: the server's user must be able to use it.

    Does nothing for anybody but root. Raises OSError.
    """
    if os.geteuid() != 0:
        return
    owner = like.stat()
    for path in (directory, *directory.rglob("*")):
        if path.lstat().st_uid == 0 != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
