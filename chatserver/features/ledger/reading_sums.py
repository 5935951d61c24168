"""The sums of the confirmed readings of free-text orders, as a table for an administrator's workbook."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from chatserver.core.folding import fold
from chatserver.features.ledger.table import Cell, Number, Table
from chatserver.features.ordering import amounts
from chatserver.features.ordering.model import Order


def reading_table(orders: Sequence[Order], readings: Mapping[int, str], t: Callable[..., str]) -> Table | None:
    """Sums by name and unit, and below them the numbers of free-text orders with and without a reading.

    None if there are no readings. `readings`: order's id -> the JSON list of its confirmed lines.
    """
    read = [readings[order.id] for order in orders if order.id in readings]
    if not read:
        return None
    unread = sum(1 for order in orders if order.is_free_text and order.id not in readings)
    rows: list[list[Cell]] = [[name, unit, Number(hundredths, False)] for name, unit, hundredths in _sums(read)]
    rows += [[t("export.readings_in"), "", len(read)], [t("export.readings_out"), "", unread]]
    headings = [t("export.item"), t("export.unit"), t("export.quantity")]
    return Table(t("export.readings"), headings, [24, 10, 12], rows)


def _sums(read: Iterable[str]) -> list[tuple[str, str, int]]:
    """(name, unit, hundredths), sorted by name. Names and units are written as in their first line."""
    sums: dict[tuple[str, str], tuple[str, str, int]] = {}
    for lines in read:
        for line in json.loads(lines):
            key = fold(line["name"]), fold(line["unit"])
            name, unit, hundredths = sums.get(key, (line["name"], line["unit"], 0))
            sums[key] = name, unit, hundredths + (amounts.parse(line["quantity"]) or 0)
    return [sums[key] for key in sorted(sums)]
