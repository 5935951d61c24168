"""Imports point from a higher layer to a lower one, and a file has one purpose."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import chatserver

PACKAGE = Path(chatserver.__file__).parent
LINES_MAX = 400

LAYERS: dict[str, int] = {
    name: layer
    for layer, names in enumerate(
        ("core", "db realtime media i18n", "http", "features", "ops server cli systemd __main__"),
    )
    for name in names.split()
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that this file imports, those inside functions too; `from a import b` as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    return {module for module in imports(path) if module.startswith("chatserver.")}


def top(module: str) -> str:
    """The package or file right under `chatserver` that a dotted module belongs to; "" for the package itself."""
    name = module.split(".")[1]
    return name if name in LAYERS else ""


def product_files() -> list[Path]:
    return [path for path in MODULES if path != PACKAGE / "__init__.py"]


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def wrong_imports() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in product_files():
        here = top(dotted(path))
        for module in own_imports(path):
            there = top(module)
            if there and there != here and LAYERS[there] >= LAYERS[here] and (LAYERS[here], LAYERS[there]) != (4, 4):
                found.add((name(path), ".".join(module.split(".")[1:4])))
    return found


# What still points upwards while the handlers move into their features; this set only shrinks.
POINTS_UPWARDS: set[tuple[str, str]] = {
    ("features/room.py", "ops.database_copy.DatabaseCopier"),
    ("http/application.py", "features.messages.api"),
    ("http/application.py", "features.messages.recent"),
    ("http/application.py", "features.presence.presence"),
    ("http/application.py", "features.presence.room_page"),
    ("http/application.py", "features.room.Room"),
    ("http/application.py", "features.status.metrics"),
    ("http/frame_commands.py", "features.messages.post"),
    ("http/keys.py", "features.messages.recent"),
    ("http/keys.py", "features.presence.presence"),
    ("http/keys.py", "features.presence.room_page"),
    ("http/keys.py", "features.room.Room"),
    ("http/keys.py", "features.settings.settings"),
    ("http/keys.py", "features.status.metrics"),
    ("http/login_cookie.py", "features.accounts.sessions"),
    ("http/routes.py", "features.accounts.members_page"),
    ("http/routes.py", "features.accounts.pages"),
    ("http/routes.py", "features.invites.page"),
    ("http/routes.py", "features.messages.api"),
    ("http/routes.py", "features.messages.forms"),
    ("http/routes.py", "features.messages.media"),
    ("http/routes.py", "features.presence.socket"),
    ("http/routes.py", "features.settings.manifest"),
    ("http/routes.py", "features.settings.page"),
    ("http/routes.py", "features.setup.page"),
    ("http/routes.py", "features.status.metrics_endpoint"),
    ("http/routes.py", "features.status.page"),
    ("realtime/publisher.py", "features.messages.recent"),
    ("realtime/publisher.py", "http.encode.Encoder"),
}


def test_every_module_has_a_layer() -> None:
    assert {dotted(path).split(".")[1] for path in product_files()} <= set(LAYERS)


def test_imports_point_downwards() -> None:
    assert wrong_imports() == POINTS_UPWARDS


@pytest.mark.parametrize("path", [path for path in product_files() if top(dotted(path)) == "core"], ids=name)
def test_core_imports_no_third_party_package(path: Path) -> None:
    roots = {module.split(".")[0] for module in imports(path)}
    assert roots <= {*sys.stdlib_module_names, "chatserver"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX
