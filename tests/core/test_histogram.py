"""The histogram's counts and sums are correct."""

from __future__ import annotations

from chatserver.core.histogram import Histogram


def test_a_value_on_a_bound_counts_under_it_and_one_above_all_bounds_counts_too() -> None:
    seconds = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        seconds.observe(value)
    assert seconds.cumulative() == [(0.1, 2), (1.0, 3), (float("inf"), 4)]
    assert seconds.sum == 7.65


def test_the_worst_is_told_once() -> None:
    seconds = Histogram((1.0,))
    seconds.observe(0.5)
    seconds.observe(0.2)
    assert [seconds.take_max(), seconds.take_max()] == [0.5, 0.0]
    seconds.observe(0.1)
    assert seconds.take_max() == 0.1
