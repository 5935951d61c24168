"""The build's own step: the static files, compressed as well as can be, go into the wheel beside themselves.

A wheel is built once and started often: Brotli at its slowest costs half a second here and nothing at a start.
A checkout and an editable installation have none of it, and are served with gzip (chatserver/http/static_files.py).
"""

from __future__ import annotations

import gzip
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
from chatserver.http import assets
from chatserver.i18n.scripts import scripts  # both need the standard library only

try:
    import brotli
except ImportError:  # a build without isolation, on a machine that has none
    brotli = None


class Prebuilt(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._folder = Path(tempfile.mkdtemp())
        if version == "editable":  # its files are edited: what was built would soon be of no use
            return
        if brotli is None:
            self.app.display_warning("brotli is missing: the wheel will hold its static files as gzip only")
        static = Path(self.root) / "static"
        for place, content in compressed(static):
            made = self._folder / place.name
            made.write_bytes(content)
            build_data["force_include"][str(made)] = f"chatserver/static/{place.relative_to(static).as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self._folder)


def compressed(static: Path) -> Iterator[tuple[Path, bytes]]:
    """Each text below `static` in each coding, and where the program looks for that."""
    for name, body in assets.contents(static, scripts()).items():
        if PurePosixPath(name).suffix in assets.TEXTS:
            yield assets.prebuilt(static, body, "gz"), gzip.compress(body, 9, mtime=0)
            if brotli is not None:
                yield assets.prebuilt(static, body, "br"), brotli.compress(body, quality=11)
