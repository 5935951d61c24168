"""Reads an untrusted archive: every size is known before a byte is stored."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chatserver.ops.archive.manifest import MANIFEST, MANIFEST_MAX, Damaged, Entry, Manifest, decode

_PIECE = 1024 * 1024
_GZIP = b"\x1f\x8b"


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open the archive at `path`, compressed or not. Raises OSError and Damaged, also while the archive is read."""
    with path.open("rb") as file:
        is_compressed = file.read(2) == _GZIP
        file.seek(0)
        if not is_compressed:
            yield Archive(file)
            return
        try:
            with gzip.open(file) as unzipped:
                yield Archive(unzipped)  # type: ignore[arg-type]
        except (gzip.BadGzipFile, zlib.error, EOFError):
            raise Damaged("is damaged: it cannot be decompressed") from None


class Archive:
    """An archive that can be read once, from the beginning to the end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        first = self._header()
        if first is None or first.name != MANIFEST or first.size > MANIFEST_MAX:
            raise Damaged("is not a backup of this program")
        self.manifest: Manifest = decode(b"".join(self._content(first.size)))

    def files(self) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Yield every file that the manifest lists, with its content in pieces. Read each content to its end.

        Raises Damaged if the archive has a file that is not listed, or if a listed file is missing or does
        not match its size and checksum.
        """
        expected = {entry.name: entry for entry in self.manifest.files}
        while header := self._header():
            entry = expected.pop(header.name, None)
            if entry is None:
                raise Damaged(f"is damaged: {header.name!r} is not listed in its manifest")
            if header.size != entry.size:
                raise Damaged(f"is damaged: the size of {entry.name} differs from the manifest")
            yield entry, self._checked(entry)
        if expected:
            raise Damaged(f"is damaged: {next(iter(expected))} is missing")

    def _checked(self, entry: Entry) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for piece in self._content(entry.size):
            digest.update(piece)
            yield piece
        if digest.hexdigest() != entry.sha256:
            raise Damaged(f"is damaged: the checksum of {entry.name} differs from the manifest")

    def _header(self) -> tarfile.TarInfo | None:
        """The header of the next member; None at the archive's end. Raises Damaged unless it is a regular file."""
        block = self._exactly(tarfile.BLOCKSIZE)
        if not any(block):
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.TarError:
            raise Damaged("is damaged, or not a backup of this program") from None
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or info.size < 0:
            raise Damaged(f"is damaged: {info.name!r} is not a regular file")
        return info

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self._exactly(min(left, _PIECE))
            left -= len(piece)
            yield piece
        self._exactly(-size % tarfile.BLOCKSIZE)

    def _exactly(self, size: int) -> bytes:
        data = self._stream.read(size)
        if len(data) != size:
            raise Damaged("is damaged: it is truncated")
        return data
