"""The floors: the lowest cost of the same work. Each floor is a process of its own on the server's core."""

from __future__ import annotations

import sys

from tests.bench.bench import Bench
from tests.bench.processes import Process


def start(bench: Bench, name: str, *arguments: str) -> Process:
    """Run the module `name` of this package. Its first line means that it is ready."""
    command = [sys.executable, "-m", f"tests.bench.floors.{name}", *arguments]
    return Process(command, bench.cores.server, bench.work / "floors.log")


def port_of(floor: Process) -> int:
    """Wait for the floor's first line, `listening PORT`."""
    word, port = floor.read_line(30).split()
    if word != "listening":
        raise RuntimeError(f"a floor said {word!r}")
    return int(port)
