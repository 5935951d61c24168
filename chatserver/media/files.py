"""The media directory: written whole or not at all, erased for good, never left by a crafted name.

    images/ avatars/ announcements/ presets/    what is served, under names that nobody can guess
    uploads/                                    what is still coming in; never served

A name is "folder/key.webp", relative to the directory, as `model.StoredImage` and the rows hold it.
All disk work is done in threads. Any failure to write is refused as `storage_full`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Set
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import StoredImage
from chatserver.media.protocol import Rendered

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Folder(StrEnum):
    """Where a stored picture lies, by what it is for."""

    IMAGES = "images"
    AVATARS = "avatars"
    ANNOUNCEMENTS = "announcements"
    PRESETS = "presets"


_UPLOADS = "uploads"
_KEY_BYTES = 18
_NAME = re.compile(rf"(?:{'|'.join(Folder)})/[A-Za-z0-9_-]{{20,64}}(?:\.thumb)?\.webp")


class MediaFiles:
    """The files under `root`. Directories are made with mode 0700, files with 0600."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def store_picture(self, rendered: Rendered, folder: str = Folder.IMAGES) -> StoredImage:
        """Write the picture and its thumbnail under new names; on disk when this returns.

        `folder` is the value of a Folder. Refuses `storage_full`; then neither of the two is left.
        """
        key = f"{Folder(folder)}/{secrets.token_urlsafe(_KEY_BYTES)}"
        stored = StoredImage(f"{key}.webp", f"{key}.thumb.webp", rendered.width, rendered.height)
        await self._written({stored.image: rendered.image, stored.thumb: rendered.thumb})
        return stored

    async def store_avatar(self, data: bytes) -> str:
        """Write an avatar and return its name. Refuses `storage_full`."""
        name = f"{Folder.AVATARS}/{secrets.token_urlsafe(_KEY_BYTES)}.webp"
        await self._written({name: data})
        return name

    async def copy(self, stored: StoredImage) -> StoredImage:
        """The same picture again, under new names among the images, to be erased on its own.

        Refuses `not_found` when the original is gone, `storage_full`.
        """

        def read() -> Rendered:
            image, thumb = (self._root / name for name in (stored.image, stored.thumb))
            return Rendered(image.read_bytes(), thumb.read_bytes(), stored.width, stored.height)

        if self.path(stored.image) is None or self.path(stored.thumb) is None:
            raise DomainError(ErrorCode.NOT_FOUND)
        try:
            rendered = await asyncio.to_thread(read)
        except FileNotFoundError:
            raise DomainError(ErrorCode.NOT_FOUND) from None
        return await self.store_picture(rendered)

    async def erase(self, names: Iterable[str]) -> None:
        """Remove these files. One that is missing is fine; a name that is not one of ours is passed over.

        Refuses `storage_full` when the disk does not let go of a file.
        """
        paths = [path for path in map(self.path, names) if path is not None]

        def remove() -> None:
            for path in paths:
                path.unlink(missing_ok=True)

        if paths:
            await _on_disk(remove)

    async def sweep(self, keep: Set[str], older_than: float = 0.0) -> int:
        """Remove every file that `keep` does not name, and what a crash left half-written or half-uploaded.

        A picture lies on disk before its row does: while the room is open, give `older_than`, in
        seconds, so that what was written since then is left alone. Returns how many were removed.
        """
        return await _on_disk(lambda: self._sweep(keep, time.time() - older_than))

    def path(self, name: str) -> Path | None:
        """Where a file of that name lies, or would; None for anything that is no name of ours."""
        return self._root / name if _NAME.fullmatch(name) else None

    def incoming(self) -> Path:
        """A new path for an upload on its way in; its directory is there, the file is not yet. For a thread.

        Whoever asks removes the file; what a crash leaves is swept. Refuses `storage_full`.
        """
        directory = self._root / _UPLOADS
        try:
            _make(directory)
        except OSError as error:
            raise _full(error) from error
        return directory / secrets.token_urlsafe(_KEY_BYTES)

    async def _written(self, files: dict[str, bytes]) -> None:
        await _on_disk(lambda: self._write(files))

    def _write(self, files: dict[str, bytes]) -> None:
        """All of these files, which lie in one folder, or none of them."""
        folder = (self._root / next(iter(files))).parent
        _make(folder)
        done: list[Path] = []
        try:
            for name, data in files.items():
                path = self._root / name
                _write_whole(path, data)
                done.append(path)
            _sync(folder)
        except BaseException:
            for path in done:
                path.unlink(missing_ok=True)
            raise

    def _sweep(self, keep: Set[str], before: float) -> int:
        removed = 0
        for folder in (*Folder, _UPLOADS):
            try:
                entries = list(os.scandir(self._root / folder))
            except FileNotFoundError:
                continue
            for entry in entries:
                if f"{folder}/{entry.name}" in keep or not entry.is_file(follow_symlinks=False):
                    continue
                if entry.stat(follow_symlinks=False).st_mtime <= before:
                    os.unlink(entry.path)
                    removed += 1
        return removed


async def _on_disk(work: Callable[[], Result]) -> Result:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise _full(error) from error


def _full(error: OSError) -> DomainError:
    log.error("cannot write to the media directory: %s", error)
    return DomainError(ErrorCode.STORAGE_FULL)


def _make(directory: Path) -> None:
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)


def _write_whole(path: Path, data: bytes) -> None:
    """Under another name first, so that nobody ever sees half a file under the real one."""
    temporary = path.with_name(f".{path.name}.part")
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


def _sync(directory: Path) -> None:
    """A rename is on disk only when its directory is."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
