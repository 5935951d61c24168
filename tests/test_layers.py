"""Imports point only from a higher layer to a lower one, and a file is one room, not a house."""

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
    layer_name: layer
    for layer, names in enumerate(
        (
            "model events refusals clock config failure assets logs systemd tables secret certificate tally"
            " credentials",
            "storage media archive hub i18n",
            "room watch",
            "web timers control",
            "app cli doctor operations __main__",
        )
    )
    for layer_name in names.split()
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def part(module: str) -> str:
    """The file or package right under `chatserver` that a dotted module belongs to."""
    return module.split(".")[1]


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
    """The parts of our own package that this file imports."""
    found = {module for module in imports(path) if module.startswith("chatserver.")}
    return {part(module) for module in found if part(module) in LAYERS or module.count(".") > 1}


def of_a_part() -> list[Path]:
    return [path for path in MODULES if path != PACKAGE / "__init__.py"]


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_every_module_has_a_layer() -> None:
    assert {part(dotted(path)) for path in of_a_part()} <= set(LAYERS)


@pytest.mark.parametrize("path", of_a_part(), ids=name)
def test_imports_point_downwards(path: Path) -> None:
    here = part(dotted(path))
    wrong = {
        there
        for there in own_imports(path)
        if there != here and LAYERS[there] >= LAYERS[here] and (LAYERS[here], LAYERS[there]) not in {(0, 0), (4, 4)}
    }
    assert not wrong, f"{here} (layer {LAYERS[here]}) imports {sorted(wrong)}"


def test_the_words_import_one_another_without_a_circle() -> None:
    graph = {part(dotted(path)): own_imports(path) for path in of_a_part() if LAYERS.get(part(dotted(path))) == 0}
    done: list[str] = []
    while ready := [here for here in graph if here not in done and not (graph[here] & graph.keys()) - {*done, here}]:
        done += ready
    assert set(done) == set(graph)


@pytest.mark.parametrize("path", [path for path in of_a_part() if LAYERS.get(part(dotted(path))) == 0], ids=name)
def test_the_words_need_no_third_party(path: Path) -> None:
    roots = {module.split(".")[0] for module in imports(path)}
    assert roots <= {*sys.stdlib_module_names, "chatserver"}


def test_the_rules_know_neither_sockets_nor_requests() -> None:
    roots: set[str] = set()
    for path in (PACKAGE / "room").rglob("*.py"):
        assert not own_imports(path) & {"web", "hub", "timers", "control"}, path
        roots |= {module.split(".")[0] for module in imports(path)}
    assert roots - set(sys.stdlib_module_names) <= {"chatserver", "bcrypt"}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_is_a_house(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX
