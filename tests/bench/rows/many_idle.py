"""Row 19: fifty thousand connections that only listen, then a message a second: memory, and the time of the last
delivery."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.bench import floors
from tests.bench.bench import Bench
from tests.bench.readers import SPARE_DESCRIPTORS, Readers, reading
from tests.bench.results import Result, at_most, percentile
from tests.bench.rows._sample import TEXT_BYTES, ready_frame
from tests.bench.senders import Sender
from tests.bench.server import serving
from tests.bench.sockets import Target, connect

READERS, MESSAGES = 50_000, 10
# The most connections from one address: Linux assigns 28,000 ports.
OF_ADDRESS_MAX = 25_000
MEMORY_MIB = 450


@dataclass(frozen=True, slots=True)
class _Turn:
    """`late_ms`: for each message, the time from when it was due until the last reader had it."""

    late_ms: list[float]
    lost: int
    peak_mib: float = 0.0

    def __repr__(self) -> str:
        return f"{percentile(self.late_ms, 0.5):.0f} ms, {self.lost} lost, {self.peak_mib:.0f} MiB"


def run(bench: Bench) -> Result:
    readers = min(bench.size(READERS, 1_000), bench.descriptors - SPARE_DESCRIPTORS)
    in_one = bench.size(min(OF_ADDRESS_MAX, bench.descriptors - SPARE_DESCRIPTORS), 600)
    messages = bench.size(MESSAGES, 3)
    addresses = _Addresses()

    def of_server() -> _Turn:
        with serving(bench) as server:
            with reading(bench, server.target, bench.cookies, readers, in_one, addresses.next()) as crowd:
                author = connect(server.target, bench.cookies, 1)
                author.settle(5.0)
                server.forget_peak()
                late, lost = _a_message_a_second(crowd, messages, Sender(author.peers[0], TEXT_BYTES).send)
                author.close()
            return _Turn(late, lost, server.peak_kib() / 1024)

    with serving(bench) as server:
        frame = ready_frame(bench, server)

    def of_send() -> _Turn:
        with floors.start(bench, "send", str(frame)) as floor:
            target = Target("127.0.0.1", floors.port_of(floor), "")
            floor.ask(f"accept {readers}")
            with reading(bench, target, [], readers, in_one, addresses.next()) as crowd:
                floor.read_line()
                return _Turn(*_a_message_a_second(crowd, messages, partial(floor.ask, "go 1")))

    found = bench.in_turns(server=of_server, send=of_send)
    ours, theirs = ([percentile(turn.late_ms, 0.99) for turn in found[name]] for name in ("server", "send"))
    result = Result()
    what = f"until the last of {readers:,} readers has a message, one a second, p99"
    result.line(what, "ms", ours, "*send*", theirs, at_most(2))
    result.line("deliveries lost", "", [turn.lost for turn in found["server"]], goal=at_most(0))
    memory = f"memory of the server at its peak, {readers:,} readers"
    result.line(memory, "MiB", [turn.peak_mib for turn in found["server"]], goal=at_most(MEMORY_MIB))
    if readers < READERS and not bench.quick:
        result.notes.append(
            f"only {readers:,} readers: the server may not have more than {bench.descriptors:,} descriptors."
        )
    return result


class _Addresses:
    """Each crowd has other source addresses, because a port that was just used is not free at once."""

    def __init__(self) -> None:
        self._used = 0

    def next(self) -> int:
        self._used += 8
        return self._used


def _a_message_a_second(crowd: Readers, messages: int, send: Callable[[], object]) -> tuple[list[float], int]:
    """Milliseconds from when each message was due until the last reader had it, and the number of lost deliveries."""
    late, lost = [], 0
    started = time.perf_counter() + 0.1
    for number in range(messages):
        due = started + number
        time.sleep(max(0.0, due - time.perf_counter()))
        crowd.until_all_have(number + 1)
        send()
        at, lacking = crowd.waited()
        late.append((at - due) * 1000)
        lost = lacking
    return late, lost
