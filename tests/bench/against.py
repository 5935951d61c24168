"""This tree against another checkout, in turns: the same load, the same cores, a server of each.

In each turn a row runs once on this tree and once on the other; which comes first alternates. Both start a
server of their own, so that what differs from one process to the next (addresses, hash seeds) differs in every turn.
A turn's ratio is above 1 when this tree is better: more a second, less time, less memory. The time of the core is not
judged: it tells a server that does more work from one that waits, or from a machine that others used.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench.bench import Bench, Row
from tests.bench.machine import QUIET, Others
from tests.bench.report import number, table
from tests.bench.results import Figure

LEAST_TURNS = 7
_HEADER = ("row", "what", "this", "other", "ratio (above 1: this is better)", "lowest to highest", "turns")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One figure of a row, measured on both trees in each turn. Without `is_judged` it only explains another one."""

    row: int
    what: str
    unit: str
    more_is_better: bool
    is_judged: bool
    this: list[float]
    other: list[float]

    @property
    def ratios(self) -> list[float]:
        """One for each turn, above 1 when this tree is better."""
        pairs = zip(self.this, self.other, strict=True)
        return [this / other if self.more_is_better else other / this for this, other in pairs]

    @property
    def ratio(self) -> float:
        """The median of the turns' ratios: what slowed a whole turn slowed both of its halves."""
        return median(self.ratios)


@dataclass(frozen=True, slots=True)
class _Turn:
    """`others` is the share of the machine that other processes used meanwhile."""

    this: list[Figure]
    other: list[Figure]
    others: float


def compare(row: Row, this: Bench, other: Bench, turns: int) -> tuple[list[Comparison], list[str]]:
    """Measure a row that has a `turn` on both trees; its figures, and remarks.

    A turn during which other processes used the machine is measured once more, so at most twice as many turns are
    measured; the quietest `turns` of them count.
    """
    measured: list[_Turn] = []
    most = turns if this.quick else 2 * turns
    while len(measured) < turns or (len(measured) < most and _quiet(measured) < turns):
        measured.append(_turn(row, this, other, len(measured)))
    kept = sorted(measured, key=lambda turn: turn.others)[:turns]
    notes = []
    if disturbed := turns - _quiet(kept):
        share = kept[-1].others
        notes.append(
            f"disturbed: in {disturbed} of {turns} turns other processes used up to {share:.0%} of the machine."
        )
    return _comparisons(row, kept), notes


def _turn(row: Row, this: Bench, other: Bench, number: int) -> _Turn:
    assert row.turn is not None
    others = Others()
    gc.collect()
    if number % 2 == 0:
        ours = row.turn(this)
        theirs = row.turn(other)
    else:
        theirs = row.turn(other)
        ours = row.turn(this)
    found = _Turn(ours, theirs, others.share())
    for line in _comparisons(row, [found]):
        this.tell(f"  turn {number + 1}, {line.what}: {' | '.join(_cells(line)[2:5])}")
    this.tell(f"  turn {number + 1}: other processes used {found.others:.0%} of the machine")
    return found


def _quiet(turns: Iterable[_Turn]) -> int:
    return sum(turn.others <= QUIET for turn in turns)


def _comparisons(row: Row, turns: Sequence[_Turn]) -> list[Comparison]:
    found = []
    for place, figure in enumerate(turns[0].this):
        this, other = [turn.this[place].value for turn in turns], [turn.other[place].value for turn in turns]
        judged = (figure.more_is_better, figure.is_judged)
        found.append(Comparison(row.number, figure.what, figure.unit, *judged, this, other))
    return found


def worse_lines(found: Iterable[Comparison], percent: float) -> list[str]:
    """One line for each judged figure that is worse by more than so many per cent."""
    worse = [comparison for comparison in found if comparison.is_judged and comparison.ratio < 1 - percent / 100]
    return [
        f"row {line.row} is worse by more than {percent:g} %: {line.what}, ratio {line.ratio:.3f}" for line in worse
    ]


def as_table(machine: str, found: Iterable[Comparison]) -> str:
    return "\n".join([f"{machine}; medians.", "", *table([_HEADER, *map(_cells, found)])])


def as_json(machine: str, found: Sequence[Comparison]) -> str:
    lines = [{**asdict(comparison), "ratio": comparison.ratio, "ratios": comparison.ratios} for comparison in found]
    return json.dumps({"machine": machine, "comparisons": lines}, indent=1)


def _cells(comparison: Comparison) -> tuple[str, ...]:
    ratios = comparison.ratios
    return (
        str(comparison.row),
        comparison.what,
        f"{number(median(comparison.this))} {comparison.unit}",
        f"{number(median(comparison.other))} {comparison.unit}",
        f"{comparison.ratio:.3f}",
        f"{min(ratios):.3f} to {max(ratios):.3f}",
        str(len(ratios)),
    )
