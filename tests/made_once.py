"""Things that are the same for every room of a test run, made once in the process: schema, static files, templates.

The objects are the program's own; only the work of making them again is saved. The tests of migrations, and tests that
start the program, do not use this module.
"""

from __future__ import annotations

import functools
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import jinja2
import pytest
from aiohttp import web
from jinja2.bccache import Bucket

from chatserver import server
from chatserver.db import migrations
from chatserver.http import application
from chatserver.http.static_files import StaticTree


def empty_database(path: Path) -> None:
    """Put a database of the newest schema at `path`, with an epoch of its own. Does nothing if the file exists."""
    if path.exists():
        return
    content, epoch = _migrated()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content.replace(epoch, secrets.token_hex(len(epoch) // 2).encode()))


@functools.cache
def _migrated() -> tuple[bytes, bytes]:
    """The bytes of a new database, and its epoch: hexadecimal digits that occur nowhere else in the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.db"
        with closing(migrations.connect(path)) as connection:
            epoch: bytes = connection.execute("SELECT CAST(epoch AS BLOB) FROM room").fetchone()[0]
        content = path.read_bytes()
    assert content.count(epoch) == 1
    return content, epoch


@contextmanager
def shared() -> Iterator[None]:
    """Let the rooms of this process share the static files and the templates that Jinja compiled."""
    compiled = _Compiled()

    def load_templates(app: web.Application, templates: Path) -> jinja2.Environment:
        environment = application.load_templates(app, templates)
        environment.bytecode_cache = compiled
        return environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "StaticTree", functools.cache(StaticTree))
        patch.setattr(server, "load_templates", load_templates)
        yield


class _Compiled(jinja2.BytecodeCache):
    """A cache of compiled templates in memory, by file and the hash of the template's text."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], object] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))  # type: ignore[assignment]

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code
