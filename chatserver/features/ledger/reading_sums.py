"""What the confirmed readings of free-text orders come to, as a table for a workbook of an administrator."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from chatserver.core.folding import fold
from chatserver.features.ledger.table import Cell, Number, Table
from chatserver.features.ordering import amounts
from chatserver.features.ordering.model import Order


def reading_table(orders: Sequence[Order], readings: Mapping[int, str], t: Callable[..., str]) -> Table | None:
    """Sums by name and unit, and below them how many orders are in them, and how many are not; None without readings.

    `readings`: order's id -> the JSON list of its confirmed lines.
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
    """(name, unit, hundredths), in the order of the names; written as where they came first."""
    sums: dict[tuple[str, str], tuple[str, str, int]] = {}
    for lines in read:
        for line in json.loads(lines):
            key = fold(line["name"]), fold(line["unit"])
            name, unit, hundredths = sums.get(key, (line["name"], line["unit"], 0))
            sums[key] = name, unit, hundredths + (amounts.parse(line["quantity"]) or 0)
    return [sums[key] for key in sorted(sums)]
