"""Readers in a process of their own, since one process may not have descriptors for all.

    python -m tests.bench.readers HOST PORT PATH OPENED COOKIES_FILE

The first four are those of a Target; the file has a Cookie header's value on each line. Hears `connect COUNT TURN`,
`until MESSAGES` and `drop`, and answers each with a line; `until` with the clock (`time.perf_counter`, one for all
processes) when the last reader had so many messages, and the number of deliveries that are lacking. Between commands it
reads what comes, and tells the server every 20 s that all live.
"""

from __future__ import annotations

import gc
import select
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.bench.bench import Bench
from tests.bench.frames import PONG
from tests.bench.machine import raise_descriptors
from tests.bench.processes import Process
from tests.bench.sockets import Crowd, Target, open_sockets, requests_of

ALIVE_SECONDS = 20.0
CONNECT_SECONDS = 900.0
# Connections opened before those that are open are looked after.
CONNECT_AT_A_TIME = 500
# After so long without a delivery those that lack are lost.
QUIET_SECONDS = 5.0
# Descriptors that a process needs for other things than readers.
SPARE_DESCRIPTORS = 200


@dataclass(frozen=True, slots=True)
class Readers:
    """Readers of one target, in as many processes as their descriptors ask for."""

    processes: Sequence[Process]

    def until_all_have(self, messages: int) -> None:
        """Begin to wait for the message of that number; `waited` gives the answer."""
        for process in self.processes:
            process.write_line(f"until {messages}")

    def waited(self) -> tuple[float, int]:
        """When the last reader had it, by the clock, and how many deliveries are lacking."""
        answers = [process.read_line().split() for process in self.processes]
        return max(float(at) for at, _ in answers), sum(int(lacking) for _, lacking in answers)


@contextmanager
def reading(
    bench: Bench, target: Target, cookies: Sequence[str], count: int, in_one: int, turn: int
) -> Iterator[Readers]:
    """`count` connected readers, at most `in_one` of them in a process and from an address."""
    file = bench.work / "cookies"
    file.write_text("\n".join(cookies) or "\n")
    sizes = [min(in_one, count - first) for first in range(0, count, in_one)]
    arguments = [target.host, str(target.port), target.path, target.opened.decode(), str(file)]
    command = [sys.executable, "-m", "tests.bench.readers", *arguments]
    with ExitStack() as stack:
        processes = [stack.enter_context(Process(command, bench.cores.load, bench.work / "readers.log")) for _ in sizes]
        for number, (process, size) in enumerate(zip(processes, sizes, strict=True)):
            process.write_line(f"connect {size} {turn + number}")
            process.read_line(CONNECT_SECONDS)
        yield Readers(processes)
        for process in processes:
            process.ask("drop")


def main(target: Target, cookies: list[str]) -> None:
    gc.disable()
    raise_descriptors()
    crowd = _LivingCrowd(())
    while True:
        while not select.select([sys.stdin], [], [], 0)[0]:
            crowd.pump(0.02)
            crowd.tell_alive(target)
        word, *rest = sys.stdin.readline().split() or ["end"]
        if word == "connect":
            requests = requests_of(target, cookies, int(rest[0]))
            while piece := list(islice(requests, CONNECT_AT_A_TIME)):
                for sock in open_sockets(target, piece, 64, turn=int(rest[1])):
                    crowd.add(sock)
                crowd.tell_alive(target)
            print("connected", flush=True)
        elif word == "until":
            print(*_until(crowd, int(rest[0]) * len(crowd.peers)), flush=True)
        else:
            crowd.close()
            print("dropped", flush=True)
            return


class _LivingCrowd(Crowd):
    _told_at = 0.0

    def tell_alive(self, target: Target) -> None:
        """Send a pong from each every ALIVE_SECONDS; the *send* floor does not read any."""
        now = time.perf_counter()
        if target.path and now - self._told_at > ALIVE_SECONDS:
            self._told_at = now
            for peer in self.peers:
                peer.sock.send(PONG)


def _until(crowd: Crowd, marks: int) -> tuple[float, int]:
    last = time.perf_counter()
    while crowd.marks < marks and time.perf_counter() - last < QUIET_SECONDS:
        if crowd.pump(0.02):
            last = time.perf_counter()
    return last, marks - crowd.marks


if __name__ == "__main__":
    host, port, path, opened, cookies_file = sys.argv[1:]
    main(Target(host, int(port), path, opened.encode()), Path(cookies_file).read_text().splitlines())
