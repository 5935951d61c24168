"""A rule that every statement must keep, for every version of Python."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import chatserver

FILES = sorted(Path(chatserver.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_statement_numbers_its_places(file: Path) -> None:
    """Python 3.12 warns of a sequence for `?1`, Python 3.14 refuses it, and Python 3.11 accepts it silently."""
    words = [line for line in file.read_text("utf-8").splitlines() if not line.lstrip().startswith("#")]
    assert [line for line in words if re.search(r"\?\d", line) and "Sec-CH-UA" not in line] == []
