"""`export`: all stored data, for programs (JSON lines) and for people (a page with its pictures)."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from chatserver.core import durable_files
from chatserver.core.config import Config
from chatserver.db.transaction import Transaction
from chatserver.ops import archive, export_page, export_rows
from chatserver.ops.call import Call
from chatserver.ops.failure import CommandError
from chatserver.ops.snapshot_reader import ReceivedSnapshot, check_target, received

FORMAT = 1


def export(call: Call, target: Path, page: Path | None, *, force: bool) -> dict[str, Any]:
    """Write `target` with one JSON object per line; if `page` is given, write a page and a directory of its pictures.

    Never exports a password's hash, a token or a token's hash. Raises CommandError, and changes nothing, if
    one of the files exists already and `force` is false.
    """
    config = call.config
    pictures = page.with_name(f"{page.stem}_files") if page else None
    for path in filter(None, (target, page)):
        check_target(config, path, force=force)
    if page and page.resolve() == target.resolve():
        raise CommandError(f"{target} cannot be both the export and the page; name another file for the page")
    if pictures and not force and pictures.exists():
        raise CommandError(f"{pictures} already exists (--force replaces it)")
    with received(call) as snapshot, contextlib.ExitStack() as stack:
        directory = stack.enter_context(_new_directory(pictures)) if pictures else None
        manifest, database = _unpack(snapshot.file, directory)
        connection = stack.enter_context(contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)))
        connection.deserialize(database)
        tx = Transaction(connection)
        lines = _write_lines(target, _objects(tx, manifest, snapshot, config), replace=force)
        if page and pictures:
            notice = next(_rows(tx, "notice", config), None)
            messages = _rows(tx, "message", config)
            title, language = snapshot.settings["room_name"], snapshot.settings["language"]
            with archive.write_file(page, replace=force) as file:
                for part in export_page.page(title, language, notice, messages, pictures.name):
                    file.write(part.encode())
    return {
        "file": str(target),
        "page": str(page) if page else None,
        "lines": lines,
        "messages": manifest.messages,
        "epoch": manifest.epoch,
        "seq": manifest.seq,
    }


def _objects(
    tx: Transaction, manifest: archive.Manifest, snapshot: ReceivedSnapshot, config: Config
) -> Iterator[dict[str, Any]]:
    yield {
        "type": "export",
        "format": FORMAT,
        "program": manifest.program,
        "schema": manifest.schema,
        "created": manifest.created,
        "created_ms": manifest.created_ms,
        "timezone": str(config.timezone),
    }
    for name, value in snapshot.settings.items():
        yield {"type": "setting", "name": name, "value": value}
    yield from export_rows.objects(tx, config.timezone)


def _rows(tx: Transaction, kind: str, config: Config) -> Iterator[dict[str, Any]]:
    return (row for row in export_rows.objects(tx, config.timezone) if row["type"] == kind)


def _write_lines(target: Path, objects: Iterator[dict[str, Any]], *, replace: bool) -> int:
    count = 0
    with archive.write_file(target, replace=replace) as file:
        for value in objects:
            count += 1
            # A lone surrogate is escaped if one was ever stored; the export does not fail.
            file.write(json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
    return count


def _unpack(file: BinaryIO, pictures: Path | None) -> tuple[archive.Manifest, bytes]:
    """Return the manifest and the database; write the pictures to the directory `pictures`, under their own names."""
    opened = archive.Archive(file)
    database = b""
    for entry, pieces in opened.files():
        if entry.name == archive.DATABASE:
            database = b"".join(pieces)
        elif pictures and entry.name.startswith("media/"):
            path = pictures / entry.name.removeprefix("media/")
            path.parent.mkdir(mode=0o700, exist_ok=True)
            with path.open("xb") as picture:
                path.chmod(0o600)
                for piece in pieces:
                    picture.write(piece)
        else:
            for _ in pieces:
                pass
    return opened.manifest, database


@contextlib.contextmanager
def _new_directory(path: Path) -> Iterator[Path]:
    """Create a directory under a temporary name; if the block ends without an error, replace `path` by it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    temporary.mkdir(mode=0o700)
    try:
        yield temporary
        if path.exists():
            shutil.rmtree(path)
        temporary.rename(path)
        durable_files.sync(path.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
