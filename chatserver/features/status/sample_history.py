"""Keeps a sample for every half minute of the last hour, for the charts of the status page."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

SAMPLE_SECONDS = 30.0
SAMPLES_MAX = 120


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of one half minute. `posted` and `refused` are counts of this half minute.

    `connections` and `waiting` are the values at its end; `commit_seconds` and `lag_seconds` are its maxima.
    """

    at_ms: int
    connections: int
    posted: int
    refused: int
    waiting: int
    commit_seconds: float
    lag_seconds: float


class SampleHistory:
    """A ring buffer of samples, oldest first; 20 KB when it is full."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=SAMPLES_MAX)

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples)

    def __len__(self) -> int:
        return len(self._samples)
