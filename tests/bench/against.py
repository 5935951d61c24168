"""Compares this tree with another checkout, in turns: the same load, the same cores, a server for each tree.

In each turn both trees start a server of their own, so that random differences between processes (addresses, hash
seeds) change with every turn. The tree that starts first alternates, because the first one was up to 5 % slower in row
1. Both servers run at the same time. One of them is measured at a time, for about a second, in pairs; every second pair
begins with the other tree. So a core that is slower for a minute is slower for both. The ratio of a turn is the mean of
its pairs' ratios, and the ratio of a row is the median of its turns' ratios. A ratio above 1 means that this tree is
better: more per second, less time, less memory. The time of the core is not judged. It only shows whether a server does
more work, or waits, or whether others used the machine.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, geometric_mean, median

from tests.bench.bench import Bench, Row
from tests.bench.machine import QUIET, Others
from tests.bench.report import number, table
from tests.bench.results import Figure

LEAST_TURNS = 7
_HEADER = ("row", "what", "this", "other", "ratio (above 1: this is better)", "lowest to highest", "turns")


@dataclass(frozen=True, slots=True)
class Turn:
    """One figure of one turn: the means of both trees, and the geometric mean of the ratios of its pairs.

    Means are used, because a figure may jump between two values (in row 1: how many messages share a round of the
    fan-out).
    """

    this: float
    other: float
    ratio: float

    @classmethod
    def of(cls, pairs: Sequence[tuple[Figure, Figure]]) -> Turn:
        ratios = [
            this.value / other.value if this.more_is_better else other.value / this.value for this, other in pairs
        ]
        return cls(
            fmean(this.value for this, _ in pairs),
            fmean(other.value for _, other in pairs),
            geometric_mean(ratios),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of a row. If `is_judged` is false, it only explains another figure."""

    row: int
    what: str
    unit: str
    is_judged: bool
    turns: list[Turn]

    @property
    def ratios(self) -> list[float]:
        return [turn.ratio for turn in self.turns]

    @property
    def ratio(self) -> float:
        return median(self.ratios)


@dataclass(frozen=True, slots=True)
class _Measured:
    """A turn of a row: the result of each pair. `others` is the share of the machine that other processes used."""

    pairs: list[tuple[list[Figure], list[Figure]]]
    others: float


def compare(row: Row, this: Bench, other: Bench, turns: int) -> tuple[list[Comparison], list[str]]:
    """Measure a comparable row on both trees. Returns its figures, and remarks.

    A turn is measured again if other processes used the machine during it, so at most twice as many turns are measured.
    The `turns` with the least use by other processes count.
    """
    measured: list[_Measured] = []
    most = turns if this.quick or not row.is_disturbed_by_others else 2 * turns
    while len(measured) < turns or (len(measured) < most and _quiet(measured) < turns):
        measured.append(_measure(row, this, other, len(measured)))
    kept = sorted(measured, key=lambda turn: turn.others)[:turns]
    notes = []
    if row.is_disturbed_by_others and (disturbed := turns - _quiet(kept)):
        share = f"{kept[-1].others:.0%}"
        notes.append(f"disturbed: in {disturbed} of {turns} turns other processes used up to {share} of the machine.")
    return _comparisons(row, kept), notes


def _measure(row: Row, this: Bench, other: Bench, turn: int) -> _Measured:
    assert row.comparable is not None
    others = Others()
    first, second = (this, other) if turn % 2 == 0 else (other, this)
    pairs = []
    with row.comparable(first) as measure_first, row.comparable(second) as measure_second:
        for pair in range(1 if this.quick else row.pairs):
            gc.collect()
            if pair % 2 == 0:
                one = measure_first()
                two = measure_second()
            else:
                two = measure_second()
                one = measure_first()
            pairs.append((one, two) if first is this else (two, one))
    found = _Measured(pairs, others.share())
    for line in _comparisons(row, [found]):
        this.tell(f"  turn {turn + 1}, {line.what}: {' | '.join(_cells(line)[2:5])}")
    this.tell(f"  turn {turn + 1}: other processes used {found.others:.0%} of the machine")
    return found


def _quiet(turns: Iterable[_Measured]) -> int:
    return sum(turn.others <= QUIET for turn in turns)


def _comparisons(row: Row, measured: Sequence[_Measured]) -> list[Comparison]:
    found = []
    for place, figure in enumerate(measured[0].pairs[0][0]):
        turns = [Turn.of([(this[place], other[place]) for this, other in turn.pairs]) for turn in measured]
        found.append(Comparison(row.number, figure.what, figure.unit, figure.is_judged, turns))
    return found


def worse_lines(found: Iterable[Comparison], percent: float) -> list[str]:
    """One line for each judged figure that is worse by more than this number of per cent."""
    worse = [comparison for comparison in found if comparison.is_judged and comparison.ratio < 1 - percent / 100]
    return [
        f"row {line.row} is worse by more than {percent:g} %: {line.what}, ratio {line.ratio:.3f}" for line in worse
    ]


def as_table(machine: str, found: Iterable[Comparison]) -> str:
    return "\n".join([f"{machine}; medians.", "", *table([_HEADER, *map(_cells, found)])])


def as_line(comparison: Comparison) -> str:
    return " | ".join(_cells(comparison))


def as_json(machine: str, found: Sequence[Comparison]) -> str:
    lines = [{**asdict(comparison), "ratio": comparison.ratio} for comparison in found]
    return json.dumps({"machine": machine, "comparisons": lines}, indent=1)


def _cells(comparison: Comparison) -> tuple[str, ...]:
    turns, ratios = comparison.turns, comparison.ratios
    return (
        str(comparison.row),
        comparison.what,
        f"{number(median(turn.this for turn in turns))} {comparison.unit}",
        f"{number(median(turn.other for turn in turns))} {comparison.unit}",
        f"{comparison.ratio:.3f}",
        f"{min(ratios):.3f} to {max(ratios):.3f}",
        str(len(ratios)),
    )
