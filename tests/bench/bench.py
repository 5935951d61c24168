"""The parameters of every row: how much to do, in which directory, and on which cores."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from tests.bench.machine import Cores
from tests.bench.members import Member
from tests.bench.results import Figure, Result

T = TypeVar("T")
Measure: TypeAlias = Callable[[], list[Figure]]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: its number, its name, and how it is measured.

    `comparable` is set if two trees can be compared. It starts a server of the bench's tree and returns a function that
    measures once, in about a second. In each of the `turns` of a comparison this is done `pairs` times on both trees.
    The number of turns is even, so that each tree is the first to start in half of them.
    """

    number: int
    title: str
    run: Callable[[Bench], Result]
    comparable: Callable[[Bench], AbstractContextManager[Measure]] | None = None
    pairs: int = 1
    turns: int = 8
    is_disturbed_by_others: bool = True


@dataclass(frozen=True, slots=True)
class Bench:
    """One run of the benchmark. `quick` only shows that a row works; its figures mean little.

    The servers are those of `tree`, a checkout. `data` is a data directory in which `members` are registered and logged
    in; servers start from copies of it. `photographs` is the unpacked package of photographs.py; None for a drawing.
    """

    turns: int
    quick: bool
    cores: Cores
    tree: Path
    work: Path
    descriptors: int
    data: Path
    members: list[Member]
    photographs: Path | None = None

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    @property
    def cookies(self) -> list[str]:
        return [member.cookie for member in self.members]

    def in_turns(self, **measures: Callable[[], T]) -> Mapping[str, list[T]]:
        """Measure all of them in turns, several times, so that a slow minute of the machine affects all of them."""
        found: dict[str, list[T]] = {name: [] for name in measures}
        for turn in range(self.turns):
            for name, measure in measures.items():
                gc.collect()
                found[name].append(measure())
                self.tell(f"  turn {turn + 1}, {name}: {found[name][-1]}")
        return found

    def tell(self, words: str) -> None:
        tell(words)


def tell(words: str) -> None:
    """Print the progress on standard error, beside the table."""
    print(words, file=sys.stderr, flush=True)
