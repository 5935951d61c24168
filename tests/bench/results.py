"""The results of a row: figures by turn, the figures they are compared with, and whether the goal is reached."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

CORE_TIME = "time of the core for one of them"


@dataclass(frozen=True, slots=True)
class Goal:
    """If there is a floor, the ratio is judged, else the figure itself."""

    sign: str
    number: float

    def holds(self, value: float) -> bool:
        return value >= self.number if self.sign == ">=" else value <= self.number

    def __str__(self) -> str:
        return f"{self.sign} {self.number:g}"


def at_least(number: float) -> Goal:
    return Goal(">=", number)


def at_most(number: float) -> Goal:
    return Goal("<=", number)


@dataclass(frozen=True, slots=True)
class Work:
    """A count, in seconds of wall time and of the core (user and system time)."""

    count: int
    seconds: float
    core_seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def core_us(self) -> float:
        return self.core_seconds / self.count * 1e6

    def __repr__(self) -> str:
        busy = self.core_seconds / self.seconds
        return f"{self.rate:,.0f}/s, {self.core_us:,.1f} µs of the core each, {busy:.0%} busy"


@dataclass(frozen=True, slots=True)
class Figure:
    """The result of one turn of a row, as `--against` compares it. `more_is_better` for a rate, not for a time.

    A row is worse if one of its judged figures is worse.
    """

    what: str
    unit: str
    value: float
    more_is_better: bool = False
    is_judged: bool = True


def figures_of(what: str, work: Work) -> list[Figure]:
    """The number per second, and the time of the core for one of them."""
    return [Figure(what, "/s", work.rate, more_is_better=True), Figure(CORE_TIME, "µs", work.core_us, is_judged=False)]


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `turns` and `floor_turns` were measured alternately, so they form pairs."""

    what: str
    unit: str
    turns: Sequence[float]
    floor: str = ""
    floor_turns: Sequence[float] = ()
    goal: Goal | None = None

    @property
    def value(self) -> float:
        return median(self.turns)

    @property
    def floor_value(self) -> float | None:
        return median(self.floor_turns) if self.floor_turns else None

    @property
    def ratio(self) -> float | None:
        """The median of the turns' ratios. An effect that slowed a whole turn slowed both of its halves."""
        if not self.floor_turns:
            return None
        return median(ours / max(theirs, 1e-9) for ours, theirs in zip(self.turns, self.floor_turns, strict=True))

    @property
    def holds(self) -> bool | None:
        if self.goal is None:
            return None
        ratio = self.ratio
        return self.goal.holds(self.value if ratio is None else ratio)


@dataclass(slots=True)
class Result:
    """A row's lines, and remarks for results without a figure."""

    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def line(
        self,
        what: str,
        unit: str,
        turns: Sequence[float],
        floor: str = "",
        floor_turns: Sequence[float] = (),
        goal: Goal | None = None,
    ) -> None:
        self.lines.append(Line(what, unit, turns, floor, floor_turns, goal))

    def compare(
        self, what: str, ours: Sequence[Work], floor: str, theirs: Sequence[Work], goal: Goal | None = None
    ) -> None:
        """Two lines: the number per second, and the time of the core for one, which other processes disturb less."""
        self.line(what, "/s", [work.rate for work in ours], floor, [work.rate for work in theirs], goal)
        cost, least = [work.core_us for work in ours], [work.core_us for work in theirs]
        self.line(CORE_TIME, "µs", cost, floor, least)


def percentile(values: Iterable[float], part: float) -> float:
    """The smallest value that is not exceeded by the share `part` (0 to 1) of all values: the nearest rank."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(part * len(ranked)) - 1)] if ranked else math.nan
