"""Hard links that keep media files readable while an archive copies them, even if a recall erases them meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from chatserver.media.files import MediaFiles


class PinnedFiles:
    """Hard links in `uploads/`, where the sweep at the next start removes what a crash left.

    `paths` maps each pinned name to its link; `missing` lists the names without a file. Both methods
    block on the disk: call them in a thread. The caller of `pin` also calls `release`.
    """

    def __init__(self, media: MediaFiles) -> None:
        self._media = media
        self.paths: dict[str, Path] = {}
        self.missing: list[str] = []

    def pin(self, names: Iterable[str]) -> None:
        """Link these files. Adds a name that is invalid or has no file to `missing`.

        Raises OSError, and DomainError: `storage_full`.
        """
        prefix = self._media.new_upload_path()
        for number, name in enumerate(names):
            path = self._media.path(name)
            link = prefix.with_name(f"{prefix.name}.{number}")
            try:
                if path is None:
                    raise FileNotFoundError(name)
                _link(path, link)
            except FileNotFoundError:
                self.missing.append(name)
            else:
                self.paths[name] = link

    def release(self) -> None:
        """Remove the links."""
        for path in self.paths.values():
            path.unlink(missing_ok=True)


def _link(path: Path, link: Path) -> None:
    with contextlib.suppress(PermissionError, NotImplementedError):
        os.link(path, link)
        return
    # The file system has no hard links. A copy has the same effect, but takes longer.
    shutil.copyfile(path, link)
    link.chmod(0o600)
