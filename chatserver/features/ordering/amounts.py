"""Quantities in whole hundredths and money in whole cents; never a float.

The protocol sends them as texts, for example `1.5` or `25.00`: ASCII digits, at most two of them after the point.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

# 999999.99, in hundredths.
MOST = 99_999_999
LONGEST = len("999999.99")

_DECIMAL = re.compile(r"([0-9]{1,6})(?:\.([0-9]{1,2}))?")


def parse(text: Any, least: int = 1) -> int | None:
    """Convert a decimal text to hundredths, from `least` to MOST; None for any other value."""
    # The length is checked first, so that the cache never holds a longer text.
    hundredths = _hundredths(text) if isinstance(text, str) and len(text) <= LONGEST else None
    return hundredths if hundredths is not None and hundredths >= least else None


@lru_cache(maxsize=1024)  # the same few prices and quantities are read again for every order and every sum
def _hundredths(text: str) -> int | None:
    found = _DECIMAL.fullmatch(text)
    return int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else None


def money(cents: int) -> str:
    """`25.00`"""
    return f"{cents // 100}.{cents % 100:02}"


def optional_money(cents: int | None) -> str | None:
    return None if cents is None else money(cents)


def quantity(hundredths: int) -> str:
    """`2`, `1.5`: without zeros at the end."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0") if rest else str(whole)


def optional_quantity(hundredths: int | None) -> str | None:
    return None if hundredths is None else quantity(hundredths)


def line_amount(hundredths: int, cents: int | None) -> int | None:
    """The cents for a quantity in `hundredths` at `cents` a unit, rounded half up; None without a price."""
    return None if cents is None else (hundredths * cents + 50) // 100


def total(amounts: list[int | None]) -> int | None:
    """The sum of the amounts that are not None; None if all are None."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None
