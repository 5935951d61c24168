"""The directories of the templates and the static files, and the bytes of a static file as it is served.

An installed package contains both directories; in a checkout they are beside the package. The build
(hatch_build.py) imports this module without dependencies installed, so it uses the standard library only.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

# These suffixes are compressed. The formats of pictures are compressed already.
TEXT_SUFFIXES = frozenset({".js", ".css", ".svg"})
# Comments are removed, because they are 20 % of the bytes. A removed line stays as an empty line, so that line numbers
# in a browser's error messages are the same as in the source.
_COMMENTS = {".js": re.compile(rb"^[ \t]*//.*$", re.M), ".css": re.compile(rb"/\*.*?\*/", re.S)}
# Imported style sheets are inserted, so that a browser makes one request instead of one for each file.
_IMPORT = re.compile(rb'^@import "([^"]+)";\n', re.M)
_PREBUILT = ".prebuilt"


def templates_dir() -> Path:
    return _directory("templates")


def static_dir() -> Path:
    return _directory("static")


def files(root: Path) -> list[Path]:
    """The served files below `root`, sorted by path: all files, except if a part of the path begins with a dot."""
    found = sorted(root.rglob("*"))
    return [path for path in found if path.is_file() and not _is_hidden(path.relative_to(root))]


def served_body(path: Path) -> bytes:
    """The uncompressed response body of a file: without comments, and with the imports of a style sheet inserted."""
    body = path.read_bytes()
    if path.suffix in _COMMENTS:
        body = _COMMENTS[path.suffix].sub(lambda found: b"\n" * found[0].count(b"\n"), body)
    if path.suffix == ".css":
        body = _IMPORT.sub(lambda found: served_body(path.parent / found[1].decode()), body)
    return body


def bodies(root: Path, generated: Mapping[str, bytes]) -> dict[str, bytes]:
    """File name relative to `root` -> response body, for all served files and the `generated` files."""
    return {**{path.relative_to(root).as_posix(): served_body(path) for path in files(root)}, **generated}


def prebuilt_path(root: Path, body: bytes, coding: str) -> Path:
    """The path of `body` compressed by the build; `coding` is "br" or "gz".

    The name contains a hash of `body`, so that the file of another version is never served.
    """
    return root / _PREBUILT / f"{hashlib.sha256(body).hexdigest()[:32]}.{coding}"


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _directory(name: str) -> Path:
    """Look inside the package (wheel), then beside it (checkout). Raises FileNotFoundError."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"the directory {name}/ is missing in and beside {_PACKAGE}")
