"""Where the templates and the static files lie: in an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    return _directory("templates")


def static_dir() -> Path:
    return _directory("static")


def _directory(name: str) -> Path:
    """The wheel carries both inside the package; the checkout has them beside it."""
    for parent in (_PACKAGE, _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"the program's own {name}/ directory is missing beside {_PACKAGE}")
