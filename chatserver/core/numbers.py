"""Whole numbers that clients and operators write in decimal digits."""

from __future__ import annotations

# SQLite's largest integer.
ID_MAX = 2**63 - 1


def whole_number(text: str, least: int = 0, most: int = ID_MAX) -> int | None:
    """Parse `text`. Returns None unless it has only ASCII digits and the number is within the bounds."""
    # Check the length first, because the time of int() grows with the square of it.
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(ID_MAX))):
        return None
    number = int(text)
    return number if least <= number <= most else None
