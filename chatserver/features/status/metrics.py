"""Where the figures come from. Nothing here is called for each reader of a message.

Most are kept by the part that works anyway and are only read here; the rest are single additions
for each event, refusal or answer.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from chatserver.core.clock import Clock
from chatserver.core.errors import ErrorCode
from chatserver.core.events import Event, MessagePosted
from chatserver.core.histogram import Histogram
from chatserver.db.database import Database
from chatserver.features.status.hour import SAMPLE_SECONDS, Hour, Sample
from chatserver.media.workers import ImageWorkers
from chatserver.realtime.hub import Hub

LAG_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Disk:
    """In bytes. `free` of the file system that holds the data; `database` with its write-ahead log."""

    free: int
    database: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand now, or since the start where it is a count. `members` and `guests` are sockets."""

    members: int
    guests: int
    online: int
    posted: int
    refusals: dict[str, int]
    broadcast_bytes: int
    dropped: int
    waiting: int
    image_jobs: dict[str, int]


class Metrics:
    """Reads the parts, and keeps the counts that no part has."""

    def __init__(self, hub: Hub, database: Database, workers: ImageWorkers, clock: Clock) -> None:
        self.hour = Hour()
        # How late the event loop woke up: what everybody waited for while it was busy.
        self.lag = Histogram(LAG_BOUNDS)
        self.answers: Counter[int] = Counter()
        self.started_ms = clock.now_ms()
        self._hub = hub
        self._database = database
        self._workers = workers
        self._clock = clock
        self._posted = 0
        self._refusals: Counter[str] = Counter()
        self._sampled = (0, 0)
        self._next_sample_at = clock.monotonic() + SAMPLE_SECONDS

    def on_event(self, event: Event) -> None:
        if isinstance(event, MessagePosted):
            self._posted += 1

    def refused(self, code: ErrorCode) -> None:
        self._refusals[code.value] += 1

    def beat(self, late_seconds: float) -> None:
        """Every second, or every few while nobody is there, with how much later than asked for that is."""
        self.lag.note(late_seconds)
        now = self._clock.monotonic()
        if now >= self._next_sample_at:
            self._next_sample_at = now + SAMPLE_SECONDS
            self.sample()

    def sample(self) -> None:
        """Close the half minute that was."""
        posted, refused = self._posted, self._refusals.total()
        before_posted, before_refused = self._sampled
        self._sampled = (posted, refused)
        self.hour.add(
            Sample(
                at_ms=self._clock.now_ms(),
                connections=len(self._hub),
                posted=posted - before_posted,
                refused=refused - before_refused,
                waiting=self._database.waiting,
                commit_seconds=self._database.commit_seconds.take_max(),
                lag_seconds=self.lag.take_max(),
            )
        )

    def now(self) -> Figures:
        guests = self._hub.guests
        return Figures(
            members=len(self._hub) - guests,
            guests=guests,
            online=self._hub.online,
            posted=self._posted,
            refusals=dict(self._refusals.most_common()),
            broadcast_bytes=self._hub.broadcast_bytes,
            dropped=self._hub.dropped,
            waiting=self._database.waiting,
            image_jobs=dict(self._workers.outcomes),
        )

    @property
    def batch_units(self) -> Histogram:
        return self._database.batch_units

    @property
    def commit_seconds(self) -> Histogram:
        return self._database.commit_seconds

    def disk(self) -> Disk:
        """Asks the file system: for a thread, since a network's may take its time. Raises OSError."""
        path = self._database.path
        return Disk(shutil.disk_usage(path.parent).free, sum(map(_size, (path, path.with_name(path.name + "-wal")))))


def resident_bytes() -> int:
    """Memory of this process, from proc_pid_statm(5). 0 where there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a database in its first second has no log yet
        return 0
