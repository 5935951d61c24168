"""Row 8: how fast a room fills, for example after a restart: from the first SYN to the last `hello`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import floors
from tests.bench.bench import Bench, Measure
from tests.bench.processes import Meter
from tests.bench.results import Result, Work, at_least, figures_of
from tests.bench.server import serving
from tests.bench.sockets import Target, connect

CONNECTIONS = 2_000
IN_FLIGHT = 100
WHAT = "connections accepted, logged in"


def run(bench: Bench) -> Result:
    count = bench.size(CONNECTIONS, 300)
    body = bench.work / "body"
    body.write_bytes(b"nothing")
    with serving(bench) as server, floors.start(bench, "bare", str(body), "text/plain") as floor:
        bare = Target("127.0.0.1", floors.port_of(floor), "/listen")
        # so that every session is looked up once before the measurement
        _accepted(bench, server.target, server.pid, count)
        found = bench.in_turns(
            server=lambda: _accepted(bench, server.target, server.pid, count),
            bare=lambda: _accepted(bench, bare, floor.pid, count),
        )
    result = Result()
    result.compare(WHAT, found["server"], "bare aiohttp", found["bare"], at_least(1))
    return result


@contextmanager
def comparable(bench: Bench) -> Iterator[Measure]:
    count = bench.size(CONNECTIONS, 300)
    with serving(bench) as server:
        _accepted(bench, server.target, server.pid, count)
        yield lambda: figures_of(WHAT, _accepted(bench, server.target, server.pid, count))


def _accepted(bench: Bench, target: Target, pid: int, count: int) -> Work:
    meter = Meter(pid)
    crowd = connect(target, bench.cookies, count, in_flight=IN_FLIGHT)
    work = meter.read(count)
    crowd.settle(1.5)
    crowd.close()
    time.sleep(1.0)  # wait until the server has noticed
    return work
