"""Whole numbers that clients and operators write in decimal digits."""

from __future__ import annotations

# SQLite's largest integer.
ID_MAX = 2**63 - 1


def whole_number(text: str, least: int = 0, most: int = ID_MAX) -> int | None:
    """The number that `text` is; None unless it is written in ASCII digits alone and is within the bounds."""
    # The length first: int() takes a time that grows with the square of it.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(ID_MAX))):
        return None
    number = int(text)
    return number if least <= number <= most else None
