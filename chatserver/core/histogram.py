"""Histograms: counting a value takes a few hundred nanoseconds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts the values at or under each bound, their sum, and the largest value since the last `take_max`.

    `bounds` are in ascending order. If another thread counts a value during a read, the reader may see the value in one
    figure and not yet in the next figure. This is acceptable for statistics.
    """

    __slots__ = ("_max", "bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        # The last count is for values above the last bound.
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0
        self._max = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
        if value > self._max:
            self._max = value

    def take_max(self) -> float:
        """The largest value since the last call; 0 if there was none."""
        worst, self._max = self._max, 0.0
        return worst

    def cumulative(self) -> list[tuple[float, int]]:
        """For each bound, and for infinity, the number of values at or under it."""
        total = 0
        found = []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found
