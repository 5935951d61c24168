"""Writes an archive, and writes files that get their final name only when they are complete."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from chatserver.core import durable_files
from chatserver.ops.archive.manifest import MANIFEST, Entry, Manifest

_PIECE = 1024 * 1024


def write(target: BinaryIO, manifest: Manifest, files: Mapping[str, Path]) -> Manifest:
    """Write the archive of `files` (name in the archive -> path). Returns the manifest with the list of files.

    The files must not change meanwhile. Raises OSError.
    """
    whole = replace(manifest, files=tuple(_entry(name, path) for name, path in files.items()))
    encoded = whole.encode()
    _write_header(target, MANIFEST, len(encoded), whole.created_ms)
    target.write(encoded + bytes(-len(encoded) % tarfile.BLOCKSIZE))
    for entry in whole.files:
        _write_header(target, entry.name, entry.size, whole.created_ms)
        with files[entry.name].open("rb") as source:
            shutil.copyfileobj(source, target, _PIECE)
        target.write(bytes(-entry.size % tarfile.BLOCKSIZE))
    target.write(bytes(2 * tarfile.BLOCKSIZE))
    return whole


@contextlib.contextmanager
def write_file(path: Path, *, replace: bool) -> Iterator[BinaryIO]:
    """Write a new file with mode 0600. It is synced and gets its name when the block ends without an error.

    Raises FileExistsError if the name exists and `replace` is false, and OSError.
    """
    if not replace and os.path.lexists(path):
        raise FileExistsError(17, "already exists", str(path))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        _give_name(temporary, path, replace)
        durable_files.sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _give_name(temporary: Path, path: Path, replace: bool) -> None:
    if not replace:
        try:
            os.link(temporary, path)  # unlike a rename, this does not replace an existing file
            return
        except PermissionError:  # a file system without hard links
            if os.path.lexists(path):
                raise FileExistsError(17, "already exists", str(path)) from None
    os.rename(temporary, path)


def _write_header(target: BinaryIO, name: str, size: int, created_ms: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o600, created_ms // 1000
    target.write(info.tobuf(tarfile.USTAR_FORMAT))


def _entry(name: str, path: Path) -> Entry:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Entry(name, file.tell(), digest)
