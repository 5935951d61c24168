"""A cache of the counts that a batch of orders has read, for the next batch of the same window.

The cache is valid while the journal ends with the same head, because each change of a ledger appends an entry with a
random salt in the same transaction. Every batch reads the window's row, which has the head, in any case. So it notices
a rollback, a change, a withdrawal or another window there, and no event has to clear the cache.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from chatserver.core import tuning
from chatserver.features.ordering.model import Item
from chatserver.features.ordering.store import WindowRow


class MemberOrders:
    """One member's orders in a window: number of all and of standing orders, quantity of each item, client keys."""

    __slots__ = ("count", "keys", "quantities", "standing")

    def __init__(self) -> None:
        self.count = 0
        self.standing = 0
        self.keys: set[bytes | None] = set()
        self.quantities: dict[int, int] = defaultdict(int)

    def add(self, quantities: Mapping[int, int]) -> None:
        """Count a standing order with these quantities."""
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
    """The counts of the last batch. Used only in the database's thread."""

    def __init__(self) -> None:
        self._counts: Counts | None = None

    def take(self, window: WindowRow) -> Counts | None:
        """Remove and return the counts if they are valid for this window, else None. Change and `keep` them."""
        counts, self._counts = self._counts, None
        return counts if counts and (counts.window_id, counts.head) == (window.id, window.head) else None

    def keep(self, counts: Counts) -> None:
        if tuning.ENABLED:
            self._counts = counts
