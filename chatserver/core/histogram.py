"""Figures counted while the room works and read when somebody asks: a few hundred nanoseconds each."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """How many values fell at or under each bound, their sum, and the largest since it was last asked for.

    `bounds` rise. Whoever reads while another thread notes may see a value in one figure and not yet
    in the next, which no reader of statistics minds.
    """

    __slots__ = ("_worst", "bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        # One more: what lies above the last bound.
        self.counts = [0] * (len(self.bounds) + 1)
        self.sum = 0.0
        self._worst = 0.0

    def note(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
        if value > self._worst:
            self._worst = value

    def take_max(self) -> float:
        """The largest value since the last call; 0 where there was none."""
        worst, self._worst = self._worst, 0.0
        return worst

    def cumulative(self) -> list[tuple[float, int]]:
        """For each bound, and for infinity, the values at or under it."""
        total = 0
        found = []
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            total += count
            found.append((bound, total))
        return found
