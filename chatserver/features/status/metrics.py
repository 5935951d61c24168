"""The room's metrics. Most are counted by the component that they describe, and only read here.

The others cost one addition for each error or response; no code here runs for each reader of a message.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from chatserver.core.clock import Clock
from chatserver.core.errors import Code
from chatserver.core.histogram import Histogram
from chatserver.db.database import Database
from chatserver.features.messages.recent import RecentMessages
from chatserver.features.push.delivery import Delivery, PushFigures
from chatserver.features.status.sample_history import SAMPLE_SECONDS, Sample, SampleHistory
from chatserver.media.workers import ImageWorkers
from chatserver.realtime.hub import Hub

BATCH_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
COMMIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
LAG_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@dataclass(frozen=True, slots=True)
class Disk:
    """In bytes: `free` space on the data directory's file system; size of the `database` with its write-ahead log."""

    free: int
    database: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Present values, and counts since the start. `members` and `guests` count connections, `online` counts members."""

    members: int
    guests: int
    online: int
    posted: int
    refusals: dict[str, int]
    broadcast_bytes: int
    dropped: int
    waiting: int
    image_jobs: dict[str, int]
    push: PushFigures


class Metrics:
    """Reads the components' metrics, and counts what no component counts."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        recent: RecentMessages,
        workers: ImageWorkers,
        clock: Clock,
        push: Delivery,
    ) -> None:
        self.hour = SampleHistory()
        # The delay of the event loop. All readers waited for this time while the loop was busy.
        self.lag = Histogram(LAG_BOUNDS)
        self._batch_jobs = Histogram(BATCH_BOUNDS)
        self._commit_seconds = Histogram(COMMIT_BOUNDS)
        self.answers: Counter[int] = Counter()
        self.started_ms = clock.now_ms()
        self._hub = hub
        self._database = database
        self._recent = recent
        self._workers = workers
        self._clock = clock
        self._push = push
        self._errors: Counter[str] = Counter()
        self._sampled = (0, 0)
        self._next_sample_at = clock.monotonic() + SAMPLE_SECONDS

    def count_error(self, code: Code) -> None:
        """Count a refused request or frame."""
        self._errors[code.value] += 1

    def count_answer(self, status: int) -> None:
        """Count an answered request."""
        self.answers[status] += 1

    def beat(self, late_seconds: float) -> None:
        """Called at each heartbeat, which was `late_seconds` late. Takes a sample if one is due."""
        self.lag.observe(late_seconds)
        self._count_batches()
        now = self._clock.monotonic()
        if now >= self._next_sample_at:
            self._next_sample_at = now + SAMPLE_SECONDS
            self.sample()

    def sample(self) -> None:
        """Add a sample of the half minute that ends now to the last hour."""
        posted, refused = self._recent.posted, self._errors.total()
        before_posted, before_refused = self._sampled
        self._sampled = (posted, refused)
        self.hour.add(
            Sample(
                at_ms=self._clock.now_ms(),
                connections=len(self._hub),
                posted=posted - before_posted,
                refused=refused - before_refused,
                waiting=self._database.waiting,
                commit_seconds=self.commit_seconds.take_max(),
                lag_seconds=self.lag.take_max(),
            )
        )

    def now(self) -> Figures:
        guests = self._hub.guests
        return Figures(
            members=len(self._hub) - guests,
            guests=guests,
            online=self._hub.online,
            posted=self._recent.posted,
            refusals=dict(self._errors.most_common()),
            broadcast_bytes=self._hub.broadcast_bytes,
            dropped=self._hub.dropped,
            waiting=self._database.waiting,
            image_jobs=dict(self._workers.outcomes),
            push=self._push.figures(),
        )

    @property
    def batch_jobs(self) -> Histogram:
        """The number of jobs in each batch."""
        self._count_batches()
        return self._batch_jobs

    @property
    def commit_seconds(self) -> Histogram:
        """The duration of each batch with its COMMIT, in seconds."""
        self._count_batches()
        return self._commit_seconds

    def _count_batches(self) -> None:
        committed = self._database.committed
        while committed:
            jobs, seconds = committed.popleft()
            self._batch_jobs.observe(jobs)
            self._commit_seconds.observe(seconds)

    def disk(self) -> Disk:
        """Read the sizes from the file system. This may block, so call it in a thread. Raises OSError."""
        path = self._database.path
        files = (path, path.with_name(path.name + "-wal"))
        return Disk(shutil.disk_usage(path.parent).free, sum(map(_file_bytes, files)))


def resident_bytes() -> int:
    """The resident memory of this process, from proc_pid_statm(5); 0 if there is no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _file_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # a new database has no log yet
        return 0
