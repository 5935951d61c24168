"""`backup`: one archive of the database, the secrets and the pictures, for `restore`."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any, BinaryIO

from chatserver.ops import archive
from chatserver.ops.call import Call
from chatserver.ops.failure import CommandError
from chatserver.ops.snapshot_reader import check_target, received

_PIECE = 1024 * 1024
# A higher level does not help: most of an archive is pictures, which are compressed already.
_GZIP_LEVEL = 1


def backup(call: Call, target: Path, *, force: bool) -> dict[str, Any]:
    """Write the archive to `target`, compressed if the name ends in .gz or .tgz. Returns a description of it.

    Raises CommandError if `target` exists already and `force` is false, DomainError, OSError and
    sqlite3.Error; `target` is unchanged then.
    """
    check_target(call.config, target, force=force)
    with received(call) as snapshot:
        manifest = archive.Archive(snapshot.file).manifest
        snapshot.file.seek(0)
        try:
            with archive.write_file(target, replace=force) as file:
                _copy(snapshot.file, file, is_compressed=target.suffix in (".gz", ".tgz"))
        except FileExistsError:
            raise CommandError(f"{target} already exists (--force replaces it)") from None
    return {
        "file": str(target),
        "bytes": target.stat().st_size,
        "created": manifest.created,
        "schema": manifest.schema,
        "epoch": manifest.epoch,
        "seq": manifest.seq,
        "messages": manifest.messages,
        "media": manifest.media,
        "missing": list(manifest.missing),
    }


def _copy(source: BinaryIO, target: BinaryIO, *, is_compressed: bool) -> None:
    if not is_compressed:
        shutil.copyfileobj(source, target, _PIECE)
        return
    with gzip.GzipFile("", "wb", _GZIP_LEVEL, target) as zipped:
        shutil.copyfileobj(source, zipped, _PIECE)
