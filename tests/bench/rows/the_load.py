"""Row 0: the rate that the load can count, so that no other row measures only the load."""

from __future__ import annotations

import time

from tests.bench import floors
from tests.bench.bench import Bench
from tests.bench.results import Result, at_least
from tests.bench.rows._sample import ready_frame
from tests.bench.server import serving
from tests.bench.sockets import Target, connect

READERS = 1_000
FRAMES_A_WRITE = 50
WRITES = 40


def run(bench: Bench) -> Result:
    """The *send* floor with fifty frames in each write, as a batch has them."""
    with serving(bench) as server:
        frame = ready_frame(bench, server)
    joined = bench.work / "joined"
    joined.write_bytes(frame.read_bytes() * FRAMES_A_WRITE)
    with floors.start(bench, "send", str(joined)) as floor:
        target = Target("127.0.0.1", floors.port_of(floor), "")
        floor.ask(f"accept {READERS}")
        crowd = connect(target, [], READERS)
        floor.read_line()

        def frames_a_second() -> float:
            crowd.begin_counting()
            writes = bench.size(WRITES, 10)
            started = time.perf_counter()
            floor.write_line(f"go {writes}")
            crowd.until(lambda: crowd.marks >= READERS * FRAMES_A_WRITE * writes)
            elapsed = time.perf_counter() - started
            floor.read_line()
            return crowd.marks / elapsed

        found = bench.in_turns(load=frames_a_second)
        crowd.close()
    result = Result()
    result.line("frames counted by the load", "/s", found["load"], goal=at_least(1_000_000))
    return result
