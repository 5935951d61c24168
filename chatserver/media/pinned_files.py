"""Keeps files readable that may be erased at any moment, for as long as somebody copies them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from chatserver.media.files import MediaFiles


class PinnedFiles:
    """Second names (hard links) among the uploads, where a start sweeps what a crash leaves.

    `paths` maps each name to its second one; `missing` are the names that no file had. Both methods
    are disk work, for a thread. Whoever holds also releases.
    """

    def __init__(self, media: MediaFiles) -> None:
        self._media = media
        self.paths: dict[str, Path] = {}
        self.missing: list[str] = []

    def hold(self, names: Iterable[str]) -> None:
        """Hold these files; one that is not there, or is no name of ours, is noted as missing. Raises OSError."""
        pinned = self._media.incoming()
        for number, name in enumerate(names):
            path = self._media.path(name)
            second = pinned.with_name(f"{pinned.name}.{number}")
            try:
                if path is None:
                    raise FileNotFoundError(name)
                _link(path, second)
            except FileNotFoundError:
                self.missing.append(name)
            else:
                self.paths[name] = second

    def release(self) -> None:
        for path in self.paths.values():
            path.unlink(missing_ok=True)


def _link(path: Path, second: Path) -> None:
    with contextlib.suppress(PermissionError, NotImplementedError):
        os.link(path, second)
        return
    # A file system without links: slower, and as good.
    shutil.copyfile(path, second)
    second.chmod(0o600)
