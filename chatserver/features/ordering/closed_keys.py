"""A filter in memory that tells which client keys cannot be those of orders in closed windows.

An order that is sent again gets its stored order, also after its window was closed. To look for the key of each new
order in the index of closed windows costs 2 µs, and nearly all of them are new. The filter has a byte for each value
of a key's first bits, and a byte is set if an order in a closed window has such a key. Client keys are hashes, so with
10,000 such orders one new key in a hundred still has to be looked for. The first load takes 84 ms of the database's
thread for 100,000 orders, and each closed window of 500 orders 0.6 ms.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatserver.db.transaction import Transaction
from chatserver.features.ordering import store

# The bits of a client key that select its byte: 1 MiB, from the first order of the process on.
_BITS = 20


class ClosedKeys:
    """Used only in the database's thread, and only for orders that are stored together (`db/transaction.py`)."""

    def __init__(self) -> None:
        self._is_set = bytearray()
        # The filter has the keys of all windows with a lower id than this.
        self._before = 0

    def maybe_used(
        self, tx: Transaction, open_window: int, keys: Sequence[tuple[int, bytes | None]]
    ) -> list[tuple[int, bytes | None]]:
        """Those of the `keys` (member's id, client key) that may be of an order in a closed window.

        `open_window`: the id of the window that is open. It has the highest id, and no earlier window gets new orders.
        """
        if self._before != open_window:
            self._load(tx, open_window)
        is_set = self._is_set
        return [each for each in keys if (key := each[1]) is not None and is_set[_index(key)]]

    def _load(self, tx: Transaction, open_window: int) -> None:
        """Add the keys of the windows that were closed since the last call."""
        before = self._before
        self._is_set = self._is_set or bytearray(1 << _BITS)
        for key in store.keys_of_windows(tx, before, open_window):
            self._is_set[_index(key)] = 1
        self._before = open_window
        # If the transaction that opened this window is lost, the window before it may be open and get orders again.
        tx.on_rollback(lambda: self._forget(before))

    def _forget(self, window_id: int) -> None:
        self._before = window_id


def _index(key: bytes) -> int:
    return int.from_bytes(key[:3], "big") >> (24 - _BITS)
