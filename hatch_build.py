"""Build hook: adds the static files to the wheel in compressed form too, with Brotli and gzip.

Brotli at its highest quality takes 0.5 s. It runs once in the build, and not at each start of the server.
A checkout and an editable installation have no compressed files; the server compresses them with gzip
(chatserver/http/static_files.py).
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
from chatserver.i18n.scripts import scripts  # both import the standard library only

try:
    import brotli
except ImportError:  # a build without isolation, on a machine without brotli
    brotli = None


class Prebuilt(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        self._folder = Path(tempfile.mkdtemp())
        if version == "editable":  # its files will be edited, and the compressed files would be out of date
            return
        if brotli is None:
            self.app.display_warning("brotli is not installed: the wheel will contain gzip but no Brotli files")
        static = Path(self.root) / "static"
        for path, content in compressed(static):
            file = self._folder / path.name
            file.write_bytes(content)
            build_data["force_include"][str(file)] = f"chatserver/static/{path.relative_to(static).as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        shutil.rmtree(self._folder)


def compressed(static: Path) -> Iterator[tuple[Path, bytes]]:
    """The path that the server reads, and the content, for each text file below `static` and each coding."""
    for name, body in assets.bodies(static, scripts()).items():
        if PurePosixPath(name).suffix in assets.TEXT_SUFFIXES:
            yield assets.prebuilt_path(static, body, "gz"), gzip.compress(body, 9, mtime=0)
            if brotli is not None:
                yield assets.prebuilt_path(static, body, "br"), brotli.compress(body, quality=11)
