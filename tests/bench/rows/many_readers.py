"""Row 5: ten thousand readers and one message a second: the time until the last reader has it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from tests.bench import floors
from tests.bench.bench import Bench
from tests.bench.results import Result, at_most, percentile
from tests.bench.rows._sample import TEXT_BYTES, ready_frame
from tests.bench.senders import Sender
from tests.bench.server import serving
from tests.bench.sockets import Crowd, Target, connect

READERS = 10_000
MESSAGES = 10
# Descriptors that the server and the load need besides those of the readers.
SPARE_DESCRIPTORS = 200


def run(bench: Bench) -> Result:
    readers = min(bench.size(READERS, 1_000), bench.descriptors - SPARE_DESCRIPTORS)
    messages = bench.size(MESSAGES, 3)
    lost: list[float] = []
    pooled: dict[str, list[float]] = {"server": [], "send": []}
    with serving(bench) as server, floors.start(bench, "send", str(ready_frame(bench, server))) as floor:
        floor_target = Target("127.0.0.1", floors.port_of(floor), "")

        # The crowds are connected again for each turn, because the load has not enough descriptors for both crowds at
        # once.
        def of_server(turn: list[int]) -> float:
            crowd = connect(server.target, bench.cookies, readers, turn=len(turn))
            crowd.settle(5.0)
            sender = Sender(crowd.peers[0], TEXT_BYTES)
            crowd.begin()
            late = _until_all_have_it(crowd, messages, sender.send)
            lost.append(float(messages * readers - crowd.marks))
            return _close(crowd, late, turn, pooled["server"])

        def of_send(turn: list[int]) -> float:
            floor.ask(f"accept {readers}")
            crowd = connect(floor_target, [], readers, turn=len(turn))
            floor.read_line()
            late = _until_all_have_it(crowd, messages, partial(floor.write_line, "go 1"))
            for _ in range(messages):
                floor.read_line()
            floor.ask("drop")
            return _close(crowd, late, turn, pooled["send"])

        of_server_turns: list[int] = []
        of_send_turns: list[int] = []
        found = bench.in_turns(server=lambda: of_server(of_server_turns), send=lambda: of_send(of_send_turns))
    result = Result()
    what = f"until all of {readers:,} readers have a message, p99"
    result.line(what, "ms", found["server"], "*send*", found["send"], at_most(2))
    result.line("deliveries lost", "", lost, goal=at_most(0))
    middle = {name: percentile(late, 0.5) * 1000 for name, late in pooled.items()}
    result.notes.append(f"median {middle['server']:.0f} ms, *send* {middle['send']:.0f} ms.")
    if readers < READERS and not bench.quick:
        result.notes.append(f"only {readers:,} readers: more descriptors than {bench.descriptors:,} are not to be had.")
    return result


def _until_all_have_it(crowd: Crowd, messages: int, send: Callable[[], object]) -> list[float]:
    """For each of `messages`, one a second: the seconds from when it was due until the last reader had it."""
    late: list[float] = []
    started = time.perf_counter() + 0.1
    wanted = 0
    for number in range(messages):
        due = started + number
        while time.perf_counter() < due:
            crowd.pump()
        send()
        wanted += len(crowd.peers)
        crowd.until(lambda wanted=wanted: crowd.marks >= wanted, or_quiet=True)  # type: ignore[misc]
        late.append(time.perf_counter() - due)
    return late


def _close(crowd: Crowd, late: list[float], turn: list[int], pool: list[float]) -> float:
    crowd.close()
    turn.append(1)
    pool.extend(late)
    return percentile(late, 0.99) * 1000
