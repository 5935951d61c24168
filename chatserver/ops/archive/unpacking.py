"""Reading an archive that may be anything at all: every size is known before a byte is kept."""

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
    """The archive at `path`, compressed or not. Raises Damaged, here and while it is read, and OSError."""
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
    """Read once, from front to end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        first = self._header()
        if first is None or first.name != MANIFEST or first.size > MANIFEST_MAX:
            raise Damaged("is not a backup of this program")
        self.manifest: Manifest = decode(b"".join(self._content(first.size)))

    def files(self) -> Iterator[tuple[Entry, Iterator[bytes]]]:
        """Every file that the manifest lists, with its content in pieces; take each to its end.

        Raises Damaged for anything else in the archive, for a file that is not as the manifest says,
        and for one that is not there.
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
        """The next member; None at the archive's end. Links, directories and the like are refused."""
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
