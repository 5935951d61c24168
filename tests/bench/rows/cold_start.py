"""Row 13: the time from the start of the process to `listening on`, compared with only importing aiohttp."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bench import Bench, Measure
from tests.bench.processes import REPOSITORY, Process, core_seconds
from tests.bench.results import Figure, Result, at_most
from tests.bench.senders import Sender, as_acks_allow
from tests.bench.server import serving_in
from tests.bench.sockets import connect

MESSAGES = 100_000
TEXT_BYTES = 60
SENDERS = 100
IMPORT = [sys.executable, "-c", "import aiohttp; print('imported', flush=True)"]
OF_EMPTY = "start with no room yet, until `listening on`"


@dataclass(frozen=True, slots=True)
class _Start:
    """Milliseconds from the start of a process until its first line, of wall time and of the core."""

    ms: float
    core_ms: float


def run(bench: Bench) -> Result:
    full = _room_with_history(bench)
    found = bench.in_turns(
        imported=lambda: _until_first_line(bench, IMPORT, REPOSITORY).ms,
        empty=lambda: _of_empty(bench).ms,
        full=lambda: _served(bench, full).ms,
    )
    result = Result()
    floor, floor_ms = "`import aiohttp`", found["imported"]
    result.line(OF_EMPTY, "ms", found["empty"], floor, floor_ms, at_most(2.5))
    result.line(_of_full(bench), "ms", found["full"], floor, floor_ms, at_most(2.5))
    return result


@contextmanager
def comparable(bench: Bench) -> Iterator[Measure]:
    full = _room_with_history(bench)
    yield lambda: [*_figures(OF_EMPTY, _of_empty(bench)), *_figures(_of_full(bench), _served(bench, full))]


def _figures(what: str, start: _Start) -> list[Figure]:
    return [Figure(what, "ms", start.ms), Figure("time of the core for it", "ms", start.core_ms, is_judged=False)]


def _of_full(bench: Bench) -> str:
    return f"start of a room with {_count(bench):,} messages, all of them kept"


def _count(bench: Bench) -> int:
    return bench.size(MESSAGES, 2_000)


def _of_empty(bench: Bench) -> _Start:
    empty = bench.work / "cold-empty"
    shutil.rmtree(empty, ignore_errors=True)
    return _served(bench, empty)


def _served(bench: Bench, data: Path) -> _Start:
    command = [sys.executable, "run.py", "serve", "--port", "0", "--data-dir", str(data)]
    command += ["--history-limit", str(MESSAGES), "--log-level", "warning"]
    return _until_first_line(bench, command, bench.tree)


def _until_first_line(bench: Bench, command: list[str], tree: Path) -> _Start:
    begun = time.perf_counter()
    with Process(command, bench.cores.server, bench.work / "cold.log", tree=tree) as process:
        process.read_line()
        return _Start((time.perf_counter() - begun) * 1000, core_seconds(process.pid) * 1000)


def _room_with_history(bench: Bench) -> Path:
    """A data directory with that number of messages, posted to a server of the tree; made once for all turns."""
    full = bench.work / "cold-full"
    if full.exists():
        return full
    shutil.copytree(bench.data, full)
    with serving_in(full, bench.tree, bench.work, bench.cores, history_limit=MESSAGES) as server:
        crowd = connect(server.target, bench.cookies, SENDERS)
        crowd.settle(1.5)
        senders = [Sender(peer, TEXT_BYTES) for peer in crowd.peers]
        posted = 0
        while posted < _count(bench):
            crowd.begin_counting()
            posted += as_acks_allow(crowd, senders, 0.5)
        crowd.close()
    return full
