"""Long runs against the room. A row raises an error if a promise is broken, and returns figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from chatserver.media.workers import ImageWorkers
from tests.process.faults import (
    fuzz,
    test_fuzz,
    test_killed_between,
    test_order_killed,
    test_readers,
    test_strangers,
)
from tests.process.faults.disk import mounted
from tests.process.faults.test_full_disk import on_a_small_disk, retention_on_a_small_disk
from tests.process.test_resuming import killed
from tests.workbench.booted.host import booted
from tests.workbench.booted.own_kernel import fifty_thousand_readers
from tests.workbench.booted.suite import suite
from tests.workbench.container.image import container

Figures = Mapping[str, float]
Measure = Callable[[Path, float], Awaitable[Figures]]


@dataclass(frozen=True, slots=True)
class Row:
    """`measure` gets an empty directory and the share of the full length: 1.0 is the length that the docs quote.

    `at_most` and `at_least` are the promised figures, of the full length. A row `by_name` runs only if it is named.
    """

    name: str
    what: str
    measure: Measure
    at_most: Figures = field(default_factory=dict)
    at_least: Figures = field(default_factory=dict)
    by_name: bool = False

    def broken(self, found: Figures) -> list[str]:
        """The promises that these figures break."""
        most = (f"{name} over {limit:g}" for name, limit in self.at_most.items() if found[name] > limit)
        least = (f"{name} under {limit:g}" for name, limit in self.at_least.items() if found[name] < limit)
        return [*most, *least]


async def _kills(data: Path, share: float) -> Figures:
    return await killed(data, kills=max(1, round(200 * share)), senders=20, seconds=1.0)


async def _full_disk(data: Path, share: float) -> Figures:
    rounds = max(1, round(10 * share))
    for number in range(rounds):
        with mounted(data / f"one-{number}", mib=16) as disk:
            await on_a_small_disk(disk)
        with mounted(data / f"two-{number}", mib=16) as disk:
            await retention_on_a_small_disk(disk)
    return {"rounds": rounds}


async def _between(data: Path, share: float) -> Figures:
    died = steps = 0
    for call, most in (("rename", 8), ("unlink", 8), ("fsync", 12), ("fdatasync", 24), ("pwrite64", 40)):
        for number in range(1, max(2, round(most * share)) + 1):
            steps += 1
            died += await test_killed_between.killed_and_looked_after(data / f"{call}-{number}", call, number)
    return {"steps": steps, "killed": died}


async def _orders(data: Path, share: float) -> Figures:
    died = steps = 0
    for call, most in (("pwrite64", 60), ("fdatasync", 6), ("writev", 20)):
        for number in range(1, max(2, round(most * share)) + 1):
            steps += 1
            died += await test_order_killed.killed_and_looked_after(data / f"{call}-{number}", call, number)
    return {"steps": steps, "killed": died}


async def _frames_and_requests(data: Path, share: float) -> Figures:
    count = round(100_000 * share), round(20_000 * share)
    found = await test_fuzz.fuzzed(data, *count)
    return {"frames": count[0], "requests": count[1], **found}


async def _streams(_: Path, share: float) -> Figures:
    from tests.realtime import random_streams  # imported here, because it imports the package websockets

    count = round(1_000_000 * share)
    return {"streams": count, **random_streams.compared(test_fuzz.SEED, count)}


async def _pictures(data: Path, share: float) -> Figures:
    count = round(20_000 * share)
    async with ImageWorkers() as workers:
        found = await fuzz.images(workers, data, test_fuzz.SEED, count)
    return {"pictures": count, **found}


ROWS = (
    Row("kills", "`kill -9` at random moments under 20 senders", _kills, at_least={"acknowledged": 20_000}),
    Row("between", "a photo, killed between any two steps", _between),
    Row("orders", "an order, killed between any two writes", _orders),
    Row("full-disk", "a full disk: refused, erased on, gone on", _full_disk),
    Row(
        "deaf",
        "20 readers that never read, while messages of 1 KB pass",
        lambda data, share: test_readers.never_reading(data, 20, max(8_000, round(20_000 * share))),
        at_most={"grown_kib": test_readers.MEMORY_MAX_KIB, "p99_ms": 100, "freed_s": 10},
    ),
    Row(
        "back",
        "all come back at once after a kill",
        lambda data, share: test_readers.coming_back(data, round(1_000 * share)),
        at_most={"back_s": 5},
    ),
    Row(
        "ending",
        "SIGTERM with readers, posts and uploads under way",
        lambda data, share: test_readers.ending(data, round(500 * share), round(50 * share)),
        at_most={"ended_s": 5},
    ),
    Row(
        "strangers",
        "every attack of strangers at once for two minutes",
        lambda data, share: test_strangers.besieged(data, 120 * share),
        at_most={
            "worst_ms": 100,
            "grown_kib": test_strangers.GROWN_MAX_KIB,
            "uploads_kib": test_strangers.UPLOADS_MAX_KIB,
        },
    ),
    Row("frames", "fuzzed frames and requests", _frames_and_requests, at_most={"growth": 0.10}),
    Row("streams", "random streams of frames, against the parser of `websockets`", _streams),
    Row("pictures", "mutated pictures", _pictures),
    Row(
        "debian-12",
        "docs/install.md on a booted Debian 12, to the letter",
        lambda data, _: booted(data, "bookworm"),
        at_most={"exposure": 0.5, "idle_mib": 80},
    ),
    Row(
        "debian-13",
        "docs/install.md on a booted Debian 13, to the letter",
        lambda data, _: booted(data, "trixie"),
        at_most={"exposure": 0.5, "idle_mib": 80},
    ),
    Row("container", "the image of docs/deploy/Dockerfile, built and run by podman", lambda data, _: container(data)),
    Row("suite-13", "the tests without a browser in Debian 13", lambda data, _: suite(data, "trixie")),
    Row(
        "suite-sid",
        "the same in Debian unstable, for its newer Python",
        lambda data, _: suite(data, "sid", without=("varnish",)),
    ),
    Row(
        "readers-50000",
        "row 19 of tests.bench, 50,000 idle readers, on a kernel of its own",
        fifty_thousand_readers,
        at_most={"ratio": 2, "lost": 0, "peak_mib": 450},
        by_name=True,
    ),
)
