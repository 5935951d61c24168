"""Row 4: messages at fixed times, whether or not the server keeps up. Latency counts from when a message was due."""

from __future__ import annotations

from tests.bench.bench import Bench
from tests.bench.results import Result, at_most, percentile
from tests.bench.rows._sample import TEXT_BYTES
from tests.bench.senders import OpenLoop, Sender, by_the_clock, watch
from tests.bench.server import serving
from tests.bench.sockets import connect

READERS, SENDERS = 1_000, 10
RATES = (50, 100, 500, 2_000)


def run(bench: Bench) -> Result:
    readers = bench.size(READERS, 200)
    with serving(bench) as server:
        crowd = connect(server.target, bench.cookies, readers)
        crowd.settle(1.5)
        senders = [Sender(peer, TEXT_BYTES) for peer in crowd.peers[:SENDERS]]
        watch(crowd)

        def measure(rate: int) -> _Figures:
            return _Figures(by_the_clock(crowd, senders, rate, bench.size(4, 1)))

        found = bench.in_turns(**{str(rate): lambda rate=rate: measure(rate) for rate in RATES})
        crowd.close()
    result = Result()
    slowest = [turn.p99 for turn in found[str(RATES[0])]]
    for rate in RATES:
        turns = found[str(rate)]
        result.line(f"latency at {rate:,} messages/s, p50", "ms", [turn.p50 for turn in turns])
        p99 = [turn.p99 for turn in turns]
        if rate == RATES[-1]:
            result.line(f"the same, p99, {readers:,} readers", "ms", p99, f"p99 at {RATES[0]}/s", slowest, at_most(2))
        else:
            result.line(f"the same, p99, {readers:,} readers", "ms", p99)
    lost = [float(sum(turn.lost for turn in turns)) for turns in found.values()]
    result.line("deliveries lost, at any rate", "", [max(lost)], goal=at_most(0))
    return result


class _Figures:
    """One turn at one rate; the results are in ms."""

    def __init__(self, loop: OpenLoop) -> None:
        self.p50 = percentile(loop.latencies, 0.5) * 1000
        self.p99 = percentile(loop.latencies, 0.99) * 1000
        self.lost = loop.lost

    def __repr__(self) -> str:
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms, {self.lost} lost"
