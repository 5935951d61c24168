"""Items as lines of text, for a form without scripts: name, unit, price, stock, limit; only the name is needed.

Chinese commas are allowed too, for example `蓝莓，盒，25，40，5`. A part that contains a comma or a
quotation mark must be in quotation marks, as in CSV.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode

PARTS = ("name", "unit", "price", "stock", "limit")


def parse(text: str) -> list[dict[str, str]]:
    """Read the items, in the form that `offer.read` takes. Empty lines are skipped.

    Raises DomainError `bad_request` (`field`, `row` counted from 1) for a line of more than five parts.
    """
    return [_item(number, line) for number, line in enumerate(_lines(text), 1)]


def line_number(text: str, row: int) -> int:
    """The number of the line that the item `row` was read from; both counted from 1."""
    return [number for number, line in enumerate(_split(text), 1) if line.strip()][row - 1]


def as_text(items: Iterable[Mapping[str, Any]]) -> str:
    """Write the items as lines that `parse` reads as the same items."""
    lines = []
    for item in items:
        parts = [item.get(part) or "" for part in PARTS]
        while not parts[-1]:
            parts.pop()
        lines.append(",".join(map(_quoted, parts)) + "\n")
    return "".join(lines)


def _quoted(part: str) -> str:
    """Quote a part that contains a separator, also a Chinese comma, which the csv module would leave as it is."""
    if not any(sign in part for sign in ',，"'):
        return part
    return '"' + part.replace('"', '""') + '"'


def _lines(text: str) -> list[str]:
    return [line for line in _split(text) if line.strip()]


def _split(text: str) -> list[str]:
    # Not `splitlines`, which also splits at signs that a name may contain, such as U+2028.
    return text.replace("\r\n", "\n").split("\n")


def _item(number: int, line: str) -> dict[str, str]:
    if '"' not in line:
        line = line.replace("，", ",")
    try:
        [parts] = csv.reader([line], skipinitialspace=True)
    except (csv.Error, ValueError):
        parts = []
    if not 1 <= len(parts) <= len(PARTS):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", row=number, reason="item_line")
    return {part: value.strip() for part, value in zip(PARTS, parts, strict=False)}
