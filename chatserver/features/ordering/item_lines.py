"""Items as lines of text, for a form without scripts: name, unit, price, stock, limit; only the name is needed.

Chinese commas are allowed too, for example `蓝莓，盒，25，40，5`. A part that contains a comma or a
quotation mark must be in quotation marks, as in CSV.
"""

from __future__ import annotations

import csv
import io
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
    return [number for number, line in enumerate(text.splitlines(), 1) if line.strip()][row - 1]


def as_text(items: Iterable[Mapping[str, Any]]) -> str:
    """Write the items as lines that `parse` can read."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for item in items:
        parts = [item.get(part) or "" for part in PARTS]
        while not parts[-1]:
            parts.pop()
        writer.writerow(parts)
    return written.getvalue()


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


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
