"""The media directory. A file is written completely or not at all; a crafted name cannot leave the directory.

    images/ avatars/ announcements/ presets/    served, under random names of 144 bits
    uploads/                                    files that are being uploaded; never served

A name is "folder/key.webp" or "folder/key.avif", relative to the directory, as `model.StoredImage` and the
database rows store it. An AVIF may have a WebP copy of the same key, which no row names (`webp_copies`).
Disk operations run in threads. An OSError on writing becomes DomainError: `storage_full`.
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

from chatserver.core import durable_files
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import StoredImage
from chatserver.core.storage_errors import refusal
from chatserver.media.protocol import Rendered

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Folder(StrEnum):
    """Subdirectories of the media directory, one for each use of a picture."""

    IMAGES = "images"
    AVATARS = "avatars"
    ANNOUNCEMENTS = "announcements"
    PRESETS = "presets"


_UPLOADS = "uploads"
_KEY_BYTES = 18
_NAME = re.compile(rf"(?:{'|'.join(Folder)})/[A-Za-z0-9_-]{{20,64}}(?:\.thumb)?\.(?:webp|avif)")
# The second box of an AVIF names its brands (ISO/IEC 14496-12, section 4.3).
_AVIF_START = (b"ftypavif", b"ftypavis")


class MediaFiles:
    """The files under `root`. Creates directories with mode 0700 and files with mode 0600."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def store_picture(self, rendered: Rendered, folder: str = Folder.IMAGES) -> StoredImage:
        """Write the picture and its thumbnail under new names and sync them to disk (fsync).

        `folder` is the value of a Folder. Raises DomainError: `storage_full`; neither file exists then.
        """
        key = f"{Folder(folder)}/{secrets.token_urlsafe(_KEY_BYTES)}"
        image, thumb = f"{key}{_suffix(rendered.image)}", f"{key}.thumb{_suffix(rendered.thumb)}"
        stored = StoredImage(image, thumb, rendered.width, rendered.height)
        await self._write_in_thread({stored.image: rendered.image, stored.thumb: rendered.thumb})
        return stored

    async def store_avatar(self, data: bytes) -> str:
        """Write an avatar (WebP bytes) and return its name. Raises DomainError: `storage_full`."""
        name = f"{Folder.AVATARS}/{secrets.token_urlsafe(_KEY_BYTES)}.webp"
        await self._write_in_thread({name: data})
        return name

    async def copy(self, stored: StoredImage) -> StoredImage:
        """Copy a picture and its thumbnail to new names in `images/`, so that each copy is erased separately.

        Raises DomainError: `not_found` (the original does not exist), `storage_full`.
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

    async def store_copies(self, name: str, rendered: Rendered) -> None:
        """Write WebP copies of the AVIF `name`, and of its thumbnail if the thumbnail is an AVIF too.

        If the original is erased at the same time, its copy is removed too. Raises DomainError: `storage_full`.
        """
        thumb = name.replace(".avif", ".thumb.avif")
        copies = {name: rendered.image, thumb: rendered.thumb}

        def write() -> None:
            for original, data in copies.items():
                source, copy = self._root / original, self._root / copy_name(original)
                if source.exists():
                    durable_files.write(copy, data)
                    # `erase` removes the original first. Check again after writing, so that either `erase` or this
                    # function removes the copy.
                    if not source.exists():
                        copy.unlink(missing_ok=True)

        await _in_thread(write)

    async def erase(self, names: Iterable[str]) -> None:
        """Remove these files and their WebP copies. Ignores missing files and names that `path` rejects.

        Raises DomainError: `storage_full` when the operating system cannot remove a file.
        """
        paths = [path for path in map(self.path, names) if path is not None]

        def remove() -> None:
            for path in paths:
                path.unlink(missing_ok=True)
                if path.suffix == ".avif":
                    path.with_suffix(".webp").unlink(missing_ok=True)

        if paths:
            await _in_thread(remove)

    async def sweep(self, keep: Set[str], older_than: float = 0.0) -> int:
        """Remove every file whose name is not in `keep`, and the partial files and uploads that a crash left.

        A picture's file is written before its row. So while the server accepts uploads, pass `older_than`
        in seconds, to keep newer files. Returns the number of removed files.
        Raises DomainError: `storage_full`.
        """
        return await _in_thread(lambda: self._sweep(keep, time.time() - older_than))

    def path(self, name: str) -> Path | None:
        """The path of a file name; None for a name that does not match "folder/key[.thumb].webp" or ".avif".

        Does not check that the file exists.
        """
        return self._root / name if _NAME.fullmatch(name) else None

    def new_upload_path(self) -> Path:
        """A new path in `uploads/`. Creates the directory, not the file. Blocks: call it in a thread.

        The caller removes the file; `sweep` removes what a crash left.
        Raises DomainError: `storage_full`.
        """
        directory = self._root / _UPLOADS
        try:
            _make_directory(directory)
        except OSError as error:
            raise _refused(error) from error
        return directory / secrets.token_urlsafe(_KEY_BYTES)

    async def _write_in_thread(self, files: dict[str, bytes]) -> None:
        await _in_thread(lambda: self._write(files))

    def _write(self, files: dict[str, bytes]) -> None:
        """Write all of these files, which are in one folder, or none of them."""
        folder = (self._root / next(iter(files))).parent
        _make_directory(folder)
        written: list[Path] = []
        try:
            for name, data in files.items():
                path = self._root / name
                durable_files.write(path, data)
                written.append(path)
            durable_files.sync(folder)
        except BaseException:
            for path in written:
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


def copy_name(name: str) -> str:
    """The name of the WebP copy of an AVIF."""
    return name.removesuffix(".avif") + ".webp"


def _suffix(data: bytes) -> str:
    return ".avif" if data[4:12] in _AVIF_START else ".webp"


async def _in_thread(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread. Raises DomainError for any OSError: `busy` if it is transient, else `storage_full`."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise _refused(error) from error


def _refused(error: OSError) -> DomainError:
    log.error("writing to the media directory failed: %s", error)
    return refusal(error)


def _make_directory(directory: Path) -> None:
    directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.mkdir(mode=0o700, exist_ok=True)
