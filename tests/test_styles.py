"""Style sheets: no rule that a page needs contains something that the oldest engines of docs/page.md drop."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = sorted((Path(__file__).parents[1] / "static/css").rglob("*.css"))
# Properties and values that such an engine drops, with the declaration, the rule or the block around it; and the first
# engine that knows it.
TOO_NEW = {
    r"@layer\b": "Chromium 99",
    r"@container\b": "Chromium 105",
    r"\b(oklch|oklab|lab|lch)\(": "Chromium 111",
    r"\bcolor-mix\(": "Chromium 111",
    r":(is|where|has)\(": "Chromium 88 and 105",
    r":not\([^()]*(\([^()]*\))?[^()]*,": "Chromium 88",
    r"@media[^{]*[<>]": "Chromium 104",
    r"^\s*(translate|rotate|scale):": "Chromium 104",
    r"\baspect-ratio:": "Chromium 88",
    r"\bborder-(start|end)-(start|end)-radius:": "Chromium 89",
    r"\b(inert|subgrid|light-dark\()": "Chromium 102 to 123",
    r"^\s*&": "Chromium 112",
}


def rules(path: Path) -> str:
    """The text without comments and without the content of @supports."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"@supports [^{]+\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", text)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_no_rule_needs_an_engine_above_the_floor(path: Path) -> None:
    found = {what: since for what, since in TOO_NEW.items() if re.search(what, rules(path), re.MULTILINE)}
    assert found == {}


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_heights_of_the_screen_are_taken_from_the_token(path: Path) -> None:
    """`100dvh` makes a whole declaration invalid before Chromium 108, and a declaration with var() has no fallback."""
    assert not re.search(r"\d[dsl]v[hwb]\b", rules(path))


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_safari_is_told_by_its_own_name_what_may_be_selected(path: Path) -> None:
    plain, prefixed = (
        re.findall(rf"^\s*{name}: (\w+);", rules(path), re.MULTILINE) for name in ("user-select", "-webkit-user-select")
    )
    assert plain == prefixed
