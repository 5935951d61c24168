"""Creates the data directory with access for its user only, and checks whether it is empty."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

# Files that an empty data directory may have: .gitignore keeps the directory in the repository, and an earlier command
# may have left its lock.
_IGNORED = {".gitkeep", "chat.lock"}


def prepare(data_dir: Path) -> None:
    """Create the directory with mode 0700. Raises OSError.

    An existing directory that is empty, for example that of a checkout, gets this mode too.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Other directories keep their mode: one that was named by mistake must stay accessible to its users.
    if data_dir.stat().st_mode & 0o077 and is_empty(data_dir):
        with contextlib.suppress(PermissionError):  # the directory belongs to another user
            data_dir.chmod(0o700)


def is_empty(directory: Path) -> bool:
    """True if there are only ignored files and empty directories in it. Raises OSError."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not is_empty(Path(entry.path)):
                    return False
            elif entry.name not in _IGNORED:
                return False
    return True


def give_to_owner(directory: Path, owner_of: Path) -> None:
    """Give files that root created in `directory` to the owner of `owner_of`, so that the server's user can use them.

    Does nothing unless this process runs as root. Raises OSError.
    """
    if os.geteuid() != 0:
        return
    owner = owner_of.stat()
    for path in (directory, *directory.rglob("*")):
        if path.lstat().st_uid == 0 != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
