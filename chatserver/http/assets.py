"""Where the templates and the static files lie, and what a static file is when it is sent.

In an installed package both lie inside it, in a checkout beside it. The build (hatch_build.py) uses this
module too, with nothing else installed: it imports the standard library alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]

# What is worth compressing; pictures are compressed already.
TEXTS = frozenset({".js", ".css", ".svg"})
# The files are written for whoever reads them, and a fifth of what a browser would fetch is comments.
# Their lines stay, empty, so that a fault in a browser names the line of the source.
_COMMENTS = {".js": re.compile(rb"^[ \t]*//.*$", re.M), ".css": re.compile(rb"/\*.*?\*/", re.S)}
# A style sheet that names others holds them when it is sent: one request in place of one for each file.
_IMPORT = re.compile(rb'^@import "([^"]+)";\n', re.M)
_PREBUILT = ".prebuilt"


def templates_dir() -> Path:
    return _directory("templates")


def static_dir() -> Path:
    return _directory("static")


def files(root: Path) -> list[Path]:
    """All that can be asked for below `root`, in one order everywhere; what begins with a dot cannot."""
    found = sorted(root.rglob("*"))
    return [path for path in found if path.is_file() and not _is_hidden(path.relative_to(root))]


def sent(path: Path) -> bytes:
    """The file as browsers get it, before it is compressed: without comments, a style sheet with its imports."""
    body = path.read_bytes()
    if path.suffix in _COMMENTS:
        body = _COMMENTS[path.suffix].sub(lambda found: b"\n" * found[0].count(b"\n"), body)
    if path.suffix == ".css":
        body = _IMPORT.sub(lambda found: sent(path.parent / found[1].decode()), body)
    return body


def contents(root: Path, generated: Mapping[str, bytes]) -> dict[str, bytes]:
    """Every file that can be asked for, as browsers get it: name below `root` -> body. `generated` are
    files that the program writes itself."""
    return {**{path.relative_to(root).as_posix(): sent(path) for path in files(root)}, **generated}


def prebuilt(root: Path, body: bytes, coding: str) -> Path:
    """Where the build leaves `body` compressed ("br", "gz"). Its name is the content's: what was built
    from another version of a file is never found, let alone sent."""
    return root / _PREBUILT / f"{hashlib.sha256(body).hexdigest()[:32]}.{coding}"


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _directory(name: str) -> Path:
    """The wheel carries both inside the package; the checkout has them beside it."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"the {name}/ directory of the program is missing beside {_PACKAGE}")
