"""What a batch of orders has read and counted, kept for the next batch of the same window.

It holds as long as the journal ends with the same head: each change of a ledger appends an entry with a random salt, in
the same transaction. So a transaction that was rolled back, a change, a withdrawal and another window all show in the
window's row, which every batch reads anyway, and nothing has to be told to forget.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from chatserver.core import tuning
from chatserver.features.ordering.model import Item
from chatserver.features.ordering.store import WindowRow


class MemberOrders:
    """What one member has in a window: how many orders and how many that stand, how much of each item, client keys."""

    __slots__ = ("count", "keys", "quantities", "standing")

    def __init__(self) -> None:
        self.count = 0
        self.standing = 0
        self.keys: set[bytes | None] = set()
        self.quantities: dict[int, int] = defaultdict(int)

    def add(self, quantities: Mapping[int, int]) -> None:
        """Count an order of these quantities, which stands."""
        self.standing += 1
        for item, hundredths in quantities.items():
            self.quantities[item] += hundredths


class Counts(NamedTuple):
    """The items of a window, and the orders of some of its members, by their ids; as of the journal's `head`."""

    window_id: int
    head: bytes
    items: dict[int, Item]
    members: dict[int, MemberOrders]


class KeptCounts:
    """The counts of the last batch. For the database's thread."""

    def __init__(self) -> None:
        self._counts: Counts | None = None

    def take(self, window: WindowRow) -> Counts | None:
        """The counts, where they are those of this window now. Who takes them changes them, and keeps the new."""
        counts, self._counts = self._counts, None
        return counts if counts and (counts.window_id, counts.head) == (window.id, window.head) else None

    def keep(self, counts: Counts) -> None:
        if tuning.ENABLED:
            self._counts = counts
