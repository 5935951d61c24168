"""Readers in processes of their own, because one process may not have enough descriptors.

python -m tests.bench.readers HOST PORT PATH OPENED COOKIES_FILE

The first four arguments are those of a Target; each line of the file is the value of a Cookie header. Reads `connect
COUNT TURN`, `until MESSAGES` and `drop`, and answers each. The answer to `until` is the time (`time.perf_counter`, the
same for all processes) at which the last reader had this number of messages, and the number of missing deliveries.
Between commands the process reads the frames that come, and sends pongs every 20 s.
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
CONNECT_SECONDS = 3_600.0
WAITED_SECONDS = 600.0
# After this number of new connections, the open connections send their pongs.
CONNECT_AT_A_TIME = 500
# If no delivery comes for this time, the missing deliveries count as lost. On a busy machine one process may get none
# for 10 s, while the readers of the other get theirs.
QUIET_SECONDS = 60.0
# Descriptors that a process needs besides those of the readers.
SPARE_DESCRIPTORS = 200


@dataclass(frozen=True, slots=True)
class Readers:
    """Readers of one target, in as many processes as their descriptors require."""

    processes: Sequence[Process]

    def until_all_have(self, messages: int) -> None:
        """Begin to wait for the message with that number; `waited` returns the result."""
        for process in self.processes:
            process.write_line(f"until {messages}")

    def waited(self) -> tuple[float, int]:
        """The time at which the last reader had the message, and the number of missing deliveries."""
        answers = [process.read_line(WAITED_SECONDS).split() for process in self.processes]
        return max(float(at) for at, _ in answers), sum(int(lacking) for _, lacking in answers)


@contextmanager
def reading(
    bench: Bench, target: Target, cookies: Sequence[str], count: int, in_one: int, turn: int
) -> Iterator[Readers]:
    """Connect `count` readers, at most `in_one` of them in one process and from one address."""
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
            print(*_until(crowd, target, int(rest[0]) * len(crowd.peers)), flush=True)
        else:
            crowd.close()
            print("dropped", flush=True)
            return


class _LivingCrowd(Crowd):
    _told_at = 0.0

    def tell_alive(self, target: Target) -> None:
        """Send a pong from each connection every ALIVE_SECONDS. The *send* floor does not read them."""
        now = time.perf_counter()
        if target.path and now - self._told_at > ALIVE_SECONDS:
            self._told_at = now
            for peer in self.peers:
                peer.sock.send(PONG)


def _until(crowd: _LivingCrowd, target: Target, marks: int) -> tuple[float, int]:
    last = time.perf_counter()
    while crowd.marks < marks and time.perf_counter() - last < QUIET_SECONDS:
        if crowd.pump(0.02):
            last = time.perf_counter()
        crowd.tell_alive(target)
    return last, marks - crowd.marks


if __name__ == "__main__":
    host, port, path, opened, cookies_file = sys.argv[1:]
    main(Target(host, int(port), path, opened.encode()), Path(cookies_file).read_text().splitlines())
