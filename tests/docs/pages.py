"""The pages of the documentation, and the code blocks in them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
    if path.name != "CHANGELOG.md"
)


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.S | re.MULTILINE)


def commands(page: str) -> list[str]:
    """Every command line that a reader should type, without sudo and comments."""
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    found = [re.sub(r"\s+#.*$", "", line).removeprefix("sudo ").strip() for line in lines]
    return [line for line in found if line]
