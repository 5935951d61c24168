"""Tells in which stage a message's time goes, by the server's processor clock, also on a busy machine.

    python -m tests.bench.trace_stages [--tree TREE] [--rates 50 2000] [--seconds S] [--turns N] [--readers N]

The server of TREE (this checkout without it) runs on its core with `staged.py` around it; ten members send to a
thousand readers, as in row 4. But messages are due by the server's own processor clock, and its stages are timed by
it: time that other processes take from its core does not count. While every reader has every message, the clock would
stand still, so the next message is due at once. Waiting for the disk does not count either.

The stages of a message, in ms: *sending* from when it was due until the load has sent it, *reading* until it is in the
queue of the database, *waiting* until its transaction begins, *transaction* with its COMMIT, *publishing* until it is
given to the fan-out, *fan-out* until a reader's `send` has returned (of every 32nd reader). The last two lines are the
sums, without *sending* and with it. *sending* is the load's lateness: on a busy machine it says nothing of the server.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

from tests.bench import members
from tests.bench.machine import Cores, pin, raise_descriptors
from tests.bench.processes import REPOSITORY, Process, core_seconds
from tests.bench.results import percentile
from tests.bench.senders import Sender
from tests.bench.server import SETTINGS, target_of
from tests.bench.sockets import Crowd, connect

READERS, SENDERS, MEMBERS = 1_000, 10, 100
TEXT_BYTES = 200
STAGES = ("sending", "reading", "waiting", "transaction", "publishing", "fan-out", "from sent", "from due")


@dataclass(frozen=True, slots=True)
class Trace:
    """`stages`: for each name, ms of each message; of each message and timed reader from the fan-out on."""

    stages: dict[str, list[float]]
    batch: float
    transaction_thread_ms: float
    round_ms: float
    core_us: float

    def as_lines(self, rate: int) -> list[str]:
        lines = [
            f"{rate:,} messages/s: {self.batch:.1f} texts and {self.transaction_thread_ms:.2f} ms of the database's"
            f" thread in a transaction, {self.round_ms:.1f} ms a round, {self.core_us:.0f} µs of the core a message"
        ]
        for name in STAGES:
            ms = self.stages[name]
            figures = f"mean {fmean(ms):6.2f}  p50 {percentile(ms, 0.5):6.2f}  p99 {percentile(ms, 0.99):6.2f}"
            lines.append(f"  {name:<12} {figures}")
        return lines


def measure(server: Process, crowd: Crowd, senders: Sequence[Sender], rate: int, messages: int) -> Trace:
    """Send `messages` by the server's processor clock."""
    crowd.begin()
    server.write_line("start")
    # The server prints the first administrator's address after the line that `target_of` reads.
    while server.read_line() != "started":
        pass
    due: dict[str, tuple[float, float]] = {}
    begun = core_seconds(server.pid)
    skipped, sent = -begun, 0
    while sent < messages:
        if crowd.marks >= sent * len(crowd.peers):  # the server is idle
            skipped = max(skipped, sent / rate - core_seconds(server.pid))
        now = core_seconds(server.pid) + skipped
        while sent < messages and sent / rate <= now:
            sent_at = core_seconds(server.pid)
            due[senders[sent % len(senders)].send()] = sent / rate - skipped, sent_at
            sent += 1
        crowd.pump()
    crowd.until(lambda: crowd.marks >= messages * len(crowd.peers))
    core = core_seconds(server.pid) - begun
    return _trace(json.loads(server.ask("stop")), due, core / messages * 1e6)


def _trace(found: dict[str, list[list[float]]], due: dict[str, tuple[float, float]], core_us: float) -> Trace:
    stages: dict[str, list[float]] = {name: [] for name in STAGES}
    queued = [(*due[str(name)], at) for name, at in found["queued"]]
    batches = found["batches"]
    # By the number of the piece: when each of its messages was due, and when it was given to the fan-out.
    pieces: dict[int, tuple[list[tuple[float, float, float]], float]] = {}
    position = 0
    broadcasts = iter(found["broadcasts"])
    for size, begin, end, _ in batches:
        some = queued[position : position + int(size)]
        position += int(size)
        piece, published = next(broadcasts)
        while published < end:  # a ping, or who is here
            piece, published = next(broadcasts)
        pieces[int(piece)] = (some, published)
        for was_due, sent, read in some:
            stages["sending"].append((sent - was_due) * 1e3)
            stages["reading"].append((read - sent) * 1e3)
            stages["waiting"].append((begin - read) * 1e3)
            stages["transaction"].append((end - begin) * 1e3)
            stages["publishing"].append((published - end) * 1e3)
    for _, cursor, last, at in found["writes"]:
        for number in range(int(cursor) + 1, int(last) + 1):
            if number in pieces:
                some, published = pieces[number]
                stages["fan-out"] += [(at - published) * 1e3] * len(some)
                stages["from sent"] += [(at - sent) * 1e3 for _, sent, _ in some]
                stages["from due"] += [(at - was_due) * 1e3 for was_due, _, _ in some]
    starts = [at for place, _, _, at in found["writes"] if place == 0]
    rounds = [(after - before) * 1e3 for before, after in pairwise(starts)]
    thread = fmean(batch[3] for batch in batches) * 1e3
    return Trace(stages, fmean(batch[0] for batch in batches), thread, median(rounds), core_us)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.trace_stages", description="Tells in which stage a message's time goes."
    )
    parser.add_argument("--tree", type=Path, default=REPOSITORY, help="another checkout; this one without")
    parser.add_argument("--rates", type=int, nargs="+", default=[50, 2_000], metavar="N", help="messages a second")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each rate lasts, by the server's clock")
    parser.add_argument("--turns", type=int, default=3, help="of all rates, one after the other")
    parser.add_argument("--readers", type=int, default=READERS)
    asked = parser.parse_args(arguments)
    if (
        not (asked.tree / "run.py").is_file()
        or min(*asked.rates, asked.turns, asked.seconds, asked.readers - SENDERS) <= 0
    ):
        parser.error(f"--tree is a checkout of the project, --readers above {SENDERS}, the others above 0")
    cores = Cores.choose()
    pin(cores.load)
    raise_descriptors()
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="chat-trace-") as directory:
        work = Path(directory)
        program = [sys.executable, "-P", str(REPOSITORY / "tests" / "bench" / "staged.py")]
        command = [*program, "serve", "--host", "127.0.0.1", "--port", "0", "--data-dir", str(work / "data")]
        with Process(command, cores.server, work / "server.log", SETTINGS, asked.tree.resolve()) as server:
            target = target_of(server)
            cookies = [member.cookie for member in members.register(target.host, target.port, MEMBERS)]
            crowd = connect(target, cookies, asked.readers)
            crowd.settle(1.5)
            senders = [Sender(peer, TEXT_BYTES) for peer in crowd.peers[:SENDERS]]
            measure(server, crowd, senders, asked.rates[-1], 200)
            for _ in range(asked.turns):
                for rate in asked.rates:
                    trace = measure(server, crowd, senders, rate, max(20, int(rate * asked.seconds)))
                    print("\n".join(trace.as_lines(rate)), flush=True)
            crowd.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
