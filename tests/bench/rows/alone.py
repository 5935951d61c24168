"""Row 18: one message at a time: the next one is sent when the last reader has the one before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.bench import floors
from tests.bench.bench import Bench, Measure
from tests.bench.processes import Meter
from tests.bench.results import Figure, Result, at_most, percentile
from tests.bench.rows._sample import TEXT_BYTES, ready_frame
from tests.bench.senders import Sender
from tests.bench.server import Server, serving
from tests.bench.sockets import Crowd, Target, connect

READERS, MESSAGES = 1_000, 60
CORE_TIME = "time of the core for it"


def run(bench: Bench) -> Result:
    readers, messages = bench.size(READERS, 200), bench.size(MESSAGES, 20)
    with serving(bench) as server:
        frame = ready_frame(bench, server)
        with _sending(bench, frame, readers) as send, _delivering(bench, server, readers) as deliver:
            found = bench.in_turns(server=lambda: deliver(messages), send=lambda: send(messages))
    result = Result()
    theirs, ours = found["send"], found["server"]
    what = _what(readers)
    result.line(what, "ms", [turn.ms for turn in ours], "*send*", [turn.ms for turn in theirs], at_most(1.3))
    result.line(CORE_TIME, "ms", [turn.core_ms for turn in ours], "*send*", [turn.core_ms for turn in theirs])
    return result


@contextmanager
def comparable(bench: Bench) -> Iterator[Measure]:
    readers, messages = bench.size(READERS, 200), bench.size(MESSAGES, 20)
    with serving(bench) as server, _delivering(bench, server, readers) as deliver:
        deliver(messages)
        yield lambda: _figures(_what(readers), deliver(messages))


class _Turn:
    """For one message, in ms: the time until the last reader had it (the median), and the time of the core (the
    mean)."""

    def __init__(self, seconds: list[float], core_seconds: float) -> None:
        self.ms = percentile(seconds, 0.5) * 1000
        self.core_ms = core_seconds / len(seconds) * 1000

    def __repr__(self) -> str:
        return f"{self.ms:.2f} ms, {self.core_ms:.2f} ms of the core"


def _figures(what: str, turn: _Turn) -> list[Figure]:
    return [Figure(what, "ms", turn.ms), Figure(CORE_TIME, "ms", turn.core_ms, is_judged=False)]


def _what(readers: int) -> str:
    return f"a message that no other overlaps, until the last of {readers:,} readers has it"


@contextmanager
def _delivering(bench: Bench, server: Server, readers: int) -> Iterator[Callable[[int], _Turn]]:
    crowd = connect(server.target, bench.cookies, readers)
    crowd.settle(1.5)
    sender = Sender(crowd.peers[0], TEXT_BYTES)

    def deliver(messages: int) -> _Turn:
        crowd.begin()
        meter = Meter(server.pid)
        seconds = [_until_all_have(crowd, number + 1, sender.send) for number in range(messages)]
        return _Turn(seconds, meter.read(messages).core_seconds)

    yield deliver
    crowd.close()


@contextmanager
def _sending(bench: Bench, frame: Path, readers: int) -> Iterator[Callable[[int], _Turn]]:
    with floors.start(bench, "send", str(frame)) as floor:
        target = Target("127.0.0.1", floors.port_of(floor), "")
        floor.ask(f"accept {readers}")
        crowd = connect(target, [], readers)
        floor.read_line()

        def send(messages: int) -> _Turn:
            crowd.begin_counting()
            meter = Meter(floor.pid)
            seconds = []
            for number in range(messages):
                seconds.append(_until_all_have(crowd, number + 1, partial(floor.write_line, "go 1")))
                floor.read_line()
            return _Turn(seconds, meter.read(messages).core_seconds)

        yield send
        crowd.close()


def _until_all_have(crowd: Crowd, messages: int, send: Callable[[], object]) -> float:
    """Send the message with that number. Returns the seconds until the last reader had it."""
    started = time.perf_counter()
    send()
    crowd.until(lambda: crowd.marks >= messages * len(crowd.peers))
    return time.perf_counter() - started
