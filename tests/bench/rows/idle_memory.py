"""Row 7: the memory of a connection that only listens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import floors
from tests.bench.bench import Bench, Measure
from tests.bench.processes import Process
from tests.bench.results import Figure, Result, at_most
from tests.bench.server import Server, serving
from tests.bench.sockets import Target, connect

CONNECTIONS = 5_000


def run(bench: Bench) -> Result:
    count = bench.size(CONNECTIONS, 500)
    body = bench.work / "body"
    body.write_bytes(b"nothing")

    def of_bare() -> float:
        with floors.start(bench, "bare", str(body), "text/plain") as floor:
            target = Target("127.0.0.1", floors.port_of(floor), "/listen")
            return _kib_each(bench, target, floor, count)

    found = bench.in_turns(server=lambda: _of_server(bench, count), bare=of_bare)
    result = Result()
    result.line(_what(bench, count), "KiB", found["server"], goal=at_most(6))
    result.line("the same, bare aiohttp", "KiB", found["bare"])
    return result


@contextmanager
def comparable(bench: Bench) -> Iterator[Measure]:
    """Each turn has a new server, because memory that one crowd has freed would be used again by the next one."""
    count = bench.size(CONNECTIONS, 500)
    yield lambda: [Figure(_what(bench, count), "KiB", _of_server(bench, count))]


def _what(bench: Bench, count: int) -> str:
    return f"memory of an idle connection, {count:,} of {len(bench.members)} members"


def _of_server(bench: Bench, count: int) -> float:
    with serving(bench) as server:
        return _kib_each(bench, server.target, server, count)


def _kib_each(bench: Bench, target: Target, process: Server | Process, count: int) -> float:
    # The first connections also pay for caches, modules and the first memory arenas, which are created once.
    first = connect(target, bench.cookies, 20)
    first.settle(1.5)
    before = _resident_kib(process.pid)
    crowd = connect(target, bench.cookies, count)
    crowd.settle(4.0)
    each = (_resident_kib(process.pid) - before) / count
    crowd.close()
    first.close()
    return each


def _resident_kib(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
