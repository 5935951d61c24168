"""docs/security.md names a test for each promise, and these tests exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/security.md").read_text("utf-8")


def test_every_test_that_the_model_names_exists() -> None:
    named = set(re.findall(r"`((?:[a-z]+/)*test_\w+\.py)`", PAGE))
    assert len(named) > 15
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []


def test_every_attack_stands_in_the_model() -> None:
    ours = {path.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests/security").rglob("test_*.py")}
    assert [name for name in ours - {"security/test_model.py"} if name not in PAGE] == []


def test_every_file_that_the_model_names_exists() -> None:
    for name in re.findall(r"`((?:web|room|media)/[a-z_]+\.py)`", PAGE):
        assert (ROOT / "chatserver" / name).is_file() or (ROOT / "tests" / name).is_file(), name
