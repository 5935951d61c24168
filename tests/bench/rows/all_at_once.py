"""Rows 2 and 3: a hundred members send as fast as acks allow. The rows show the gain of group commit and joined
frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.bench import floors, frames
from tests.bench.bench import Bench, Measure
from tests.bench.processes import Meter, Process
from tests.bench.results import Result, Work, at_least, at_most, figures_of
from tests.bench.rows._sample import TEXT_BYTES, ready_frame
from tests.bench.rows.one_at_a_time import sending
from tests.bench.senders import Sender, as_acks_allow
from tests.bench.server import STRACE, Server, serving
from tests.bench.sockets import Crowd, connect

TO_A_HUNDRED = "messages, 100 members as fast as acks allow, 100 readers"
SENDERS = 100
SECONDS, SECONDS_WHEN_QUICK = 3, 1
SECONDS_IN_COMPARISON = 0.6
SEND_MESSAGES = 150


def to_a_hundred(bench: Bench) -> Result:
    result = Result()
    with serving(bench) as server, floors.start(bench, "commits", str(bench.work / "floor.db")) as floor:
        floor.read_line()
        crowd, senders = _crowd(bench, server, SENDERS)
        seconds = bench.size(SECONDS, SECONDS_WHEN_QUICK)
        found = bench.in_turns(
            server=lambda: _burst(server, crowd, senders, seconds),
            commits=lambda: _commits(floor, seconds),
        )
        crowd.close()
    result.compare(TO_A_HUNDRED, found["server"], "*commits*", found["commits"], at_least(5))
    if STRACE is None:
        result.notes.append("syncs of the disk were not counted: strace is not installed.")
    else:
        result.line("syncs of the disk for a message", "", [_syncs(bench)], goal=at_most(0.1))
        result.notes.append("syncs were counted with strace in a turn of their own, since it slows what it watches.")
    return result


def to_a_thousand(bench: Bench) -> Result:
    readers = bench.size(1_000, 200)
    with serving(bench) as server:
        frame = ready_frame(bench, server)
        with sending(bench, frame, readers) as send:
            crowd, senders = _crowd(bench, server, readers)
            seconds = bench.size(SECONDS, SECONDS_WHEN_QUICK)
            found = bench.in_turns(
                server=lambda: _burst(server, crowd, senders, seconds),
                send=lambda: send(bench.size(SEND_MESSAGES, 30)),
            )
            crowd.close()
    result = Result()
    deliveries = [_deliveries(work, readers) for work in found["server"]]
    result.compare(_to_a_thousand(readers), deliveries, "*send*", found["send"], at_least(10))
    result.line("messages, the same", "/s", [work.rate for work in found["server"]])
    return result


@contextmanager
def comparable_to_a_hundred(bench: Bench) -> Iterator[Measure]:
    with _bursting(bench, SENDERS) as burst:
        yield lambda: figures_of(TO_A_HUNDRED, burst())


@contextmanager
def comparable_to_a_thousand(bench: Bench) -> Iterator[Measure]:
    readers = bench.size(1_000, 200)
    with _bursting(bench, readers) as burst:
        yield lambda: figures_of(_to_a_thousand(readers), _deliveries(burst(), readers))


def _to_a_thousand(readers: int) -> str:
    return f"deliveries, 100 members as fast as acks allow, {readers:,} readers"


def _deliveries(messages: Work, readers: int) -> Work:
    return replace(messages, count=messages.count * readers)


@contextmanager
def _bursting(bench: Bench, readers: int) -> Iterator[Callable[[], Work]]:
    with serving(bench) as server:
        crowd, senders = _crowd(bench, server, readers)
        _burst(server, crowd, senders, SECONDS_IN_COMPARISON)
        yield lambda: _burst(server, crowd, senders, SECONDS_IN_COMPARISON)
        crowd.close()


def _crowd(bench: Bench, server: Server, readers: int) -> tuple[Crowd, list[Sender]]:
    """`readers` connections of members. The first hundred also send, and the frames of the last one are parsed."""
    crowd = connect(server.target, bench.cookies, readers)
    crowd.settle(1.5)
    crowd.peers[-1].kept = bytearray()
    return crowd, [Sender(peer, TEXT_BYTES) for peer in crowd.peers[:SENDERS]]


def _burst(server: Server, crowd: Crowd, senders: list[Sender], seconds: float) -> Work:
    """Send as many messages as acks allow in that time."""
    crowd.begin()
    meter = Meter(server.pid)
    work = meter.read(as_acks_allow(crowd, senders, seconds))
    kept = crowd.peers[-1].kept
    if kept is not None and len(frames.messages(bytes(kept))) != work.count:
        raise AssertionError("a reader missed a message, or got one twice")
    return work


def _commits(floor: Process, seconds: int) -> Work:
    meter = Meter(floor.pid)
    return meter.read(int(floor.ask(f"go {seconds}")))


def _syncs(bench: Bench) -> float:
    with serving(bench, count_syncs=True) as server:
        crowd, senders = _crowd(bench, server, SENDERS)
        before = server.synced()
        work = _burst(server, crowd, senders, bench.size(SECONDS, SECONDS_WHEN_QUICK))
        syncs = server.synced() - before
        crowd.close()
    return syncs / work.count
