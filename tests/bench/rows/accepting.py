"""Row 8: how fast a room fills, after a restart say. From the first SYN to the last `hello`."""

from __future__ import annotations

import time

from tests.bench import floors
from tests.bench.bench import Bench
from tests.bench.processes import Meter
from tests.bench.results import Result, Work, at_least
from tests.bench.server import serving
from tests.bench.sockets import Target, connect

CONNECTIONS = 2_000
IN_FLIGHT = 100


def run(bench: Bench) -> Result:
    count = bench.size(CONNECTIONS, 300)
    body = bench.work / "body"
    body.write_bytes(b"nothing")
    with serving(bench) as server, floors.start(bench, "bare", str(body), "text/plain") as floor:
        bare = Target("127.0.0.1", floors.port_of(floor), "/listen")

        def accepted(target: Target, pid: int) -> Work:
            meter = Meter(pid)
            crowd = connect(target, bench.cookies, count, in_flight=IN_FLIGHT)
            work = meter.read(count)
            crowd.settle(1.5)
            crowd.close()
            time.sleep(1.0)  # for the server to notice
            return work

        accepted(server.target, server.pid)  # every login is looked up once
        found = bench.in_turns(
            server=lambda: accepted(server.target, server.pid),
            bare=lambda: accepted(bare, floor.pid),
        )
    result = Result()
    result.compare("connections accepted, logged in", found["server"], "bare aiohttp", found["bare"], at_least(0.6))
    return result
