"""INSERT of many rows in few statements: a row of a shared statement costs half of one of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from chatserver.db.transaction import Transaction

_ROWS_AT_ONCE = 64


def insert_rows(
    tx: Transaction, table: str, columns: tuple[str, ...], rows: Sequence[Sequence[Any]], tail: str = ""
) -> int:
    """Insert `rows` in their order; the id of the last one.

    Returns 0 as soon as a statement did not insert all of its rows (`tail` may be an ON CONFLICT … DO NOTHING).
    """
    last_id = 0
    for some in in_powers_of_two(rows):
        inserted = tx.execute(_statement(table, columns, len(some), tail), [*chain.from_iterable(some)])
        if inserted.rowcount != len(some):
            return 0
        last_id = inserted.lastrowid or 0
    return last_id


def in_powers_of_two(rows: Sequence[Sequence[Any]]) -> Iterator[Sequence[Sequence[Any]]]:
    """All of them, in pieces of few sizes: each size is a statement, which SQLite keeps prepared."""
    begin = 0
    while left := len(rows) - begin:
        size = min(_ROWS_AT_ONCE, 1 << left.bit_length() - 1)
        yield rows[begin : begin + size]
        begin += size


@cache
def _statement(table: str, columns: tuple[str, ...], rows: int, tail: str) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) {places(len(columns), rows)} {tail}"  # nosec B608 # constants


def places(columns: int, rows: int) -> str:
    """`VALUES (?, ?), (?, ?)` for so many rows."""
    row = f"({', '.join('?' * columns)})"
    return f"VALUES {', '.join([row] * rows)}"
