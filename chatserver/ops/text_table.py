"""Tables for a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Format the rows as lines. Each column is as wide as its widest cell, with two spaces between columns."""
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = (cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True))
    return "  ".join(cells).rstrip()


def width(text: str) -> int:
    """The number of terminal columns of `text`: a Chinese character takes two, a combining accent none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
