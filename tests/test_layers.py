"""Imports point from a higher layer to a lower one, and a file is short."""

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
        ("core", "db realtime media i18n", "http", "features", "ops server binding cli systemd __main__"),
    )
    for name in names.split()
}

# A feature may import public names of another feature only if it is listed here.
FEATURES: dict[str, set[str]] = {
    "accounts": {"audit", "invites", "settings"},
    "audit": {"accounts"},
    "bots": {"accounts", "audit"},
    "invites": {"accounts", "audit"},
    "settings": {"accounts", "audit"},
    "messages": {"accounts", "audit", "settings"},
    "ordering": {"accounts", "audit", "messages", "settings"},
    "ledger": {"accounts", "audit", "messages", "ordering", "settings"},
    "planning": {"accounts", "audit", "messages", "ordering", "settings"},
    "announcements": {"accounts", "audit", "messages", "settings"},
    "presence": {"accounts", "messages"},
    "push": {"accounts", "messages", "ordering", "settings"},
    "setup": {"accounts", "settings"},
    "status": {"messages", "push"},
}
# Modules of features that operators' commands may import: numbers for their flags, the tables of `export`
# (`exports.py`), and, for `restore`, which runs without a room, the function that writes to the audit log.
PUBLIC_TO_OPS = {
    "chatserver.features.audit.record.AuditAct",
    "chatserver.features.audit.record.record",
    "chatserver.features.invites.invites.HOURS_MAX",
    "chatserver.features.invites.invites.USES_MAX",
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that this file imports, also inside functions; `from a import b` as a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(path: Path) -> set[str]:
    return {module for module in imports(path) if module.startswith("chatserver.")}


def top(module: str) -> str:
    """The package or file directly under `chatserver` that contains a dotted module; "" for the package itself."""
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


def test_every_module_has_a_layer() -> None:
    assert {dotted(path).split(".")[1] for path in product_files()} <= set(LAYERS)


def test_imports_point_downwards() -> None:
    assert wrong_imports() == set()


def test_only_the_server_imports_every_feature() -> None:
    """server.py builds the features; `ops` and `cli` reach them through their plain data."""
    for path in product_files():
        if name(path).startswith("features/") or path.name == "server.py":
            continue
        found = {module for module in own_imports(path) if top(module) == "features"} - PUBLIC_TO_OPS
        assert not {module for module in found if not module.endswith(".exports")}, name(path)


def test_a_feature_imports_others_only_as_the_table_says() -> None:
    wrong = set()
    for path in (PACKAGE / "features").rglob("*.py"):
        here = path.relative_to(PACKAGE / "features").parts[0]
        for module in own_imports(path):
            parts = module.split(".")
            if parts[1] == "features" and len(parts) > 3 and parts[2] not in {here, *FEATURES.get(here, {})}:
                wrong.add((here, parts[2], path.name))
    assert wrong == set()


def test_the_table_of_features_has_no_circle_but_the_named_one() -> None:
    """Messages may use accounts, settings and other features. Among those, only accounts and the features it needs know
    each other."""
    graph = {feature: set(others) for feature, others in FEATURES.items()}
    for feature in ("audit", "invites", "settings"):
        graph[feature] -= {"accounts"}
    done: set[str] = set()
    while ready := [feature for feature, others in graph.items() if feature not in done and others <= done]:
        done.update(ready)
    assert done == set(graph)


@pytest.mark.parametrize("path", [path for path in product_files() if top(dotted(path)) == "core"], ids=name)
def test_core_imports_no_third_party_package(path: Path) -> None:
    roots = {module.split(".")[0] for module in imports(path)}
    assert roots <= {*sys.stdlib_module_names, "chatserver"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX
