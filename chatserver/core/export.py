"""How `chatserver export` writes a table. Each feature declares its tables in its `exports.py`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExportTable:
    """Each row becomes a JSON object with `type` and the `columns`, in the `order` of an ORDER BY clause.

    Columns that are not listed are not exported: hashes, keys, and values that can be derived from another column.
    """

    table: str
    type: str
    columns: tuple[str, ...]
    order: str
