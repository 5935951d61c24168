"""Which texts are whole numbers."""

from __future__ import annotations

import pytest

from chatserver.core.numbers import ID_MAX, whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), (str(ID_MAX), ID_MAX)])
def test_ascii_digits_are(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize(
    "text", ["", " 7", "7 ", "+7", "-7", "7.0", "1_000", "७", "７", "²", str(ID_MAX + 1), "9" * 9000]
)
def test_others_are_not(text: str) -> None:
    assert whole_number(text) is None


@pytest.mark.parametrize(("text", "number"), [("2", None), ("3", 3), ("5", 5), ("6", None)])
def test_bounds_are_included(text: str, number: int | None) -> None:
    assert whole_number(text, 3, 5) == number
