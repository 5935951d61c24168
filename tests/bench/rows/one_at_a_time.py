"""Row 1: the cost of one message. It is stored durably, sent to a thousand readers and acknowledged; then comes the
next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import floors, frames
from tests.bench.bench import Bench, Measure
from tests.bench.processes import Meter
from tests.bench.results import Result, Work, at_least, figures_of
from tests.bench.rows._sample import TEXT_BYTES, payload_of, ready_frame
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import Server, serving
from tests.bench.sockets import Target, connect

READERS = 1_000
MESSAGES, MESSAGES_IN_COMPARISON = 150, 300


def run(bench: Bench) -> Result:
    readers, messages = bench.size(READERS, 200), bench.size(MESSAGES, 30)
    with serving(bench) as server:
        frame = ready_frame(bench, server)
        with sending(bench, frame, readers) as send, _repeating(bench, frame, readers, messages) as send_str:
            with _delivering(bench, server, readers) as deliver:
                found = bench.in_turns(server=lambda: deliver(messages), send=lambda: send(messages), send_str=send_str)
    result = Result()
    result.compare(_what(readers), found["server"], "*send*", found["send"], at_least(0.7))
    result.compare("the same", found["server"], "`send_str` loop", found["send_str"], at_least(1.5))
    return result


@contextmanager
def comparable(bench: Bench) -> Iterator[Measure]:
    readers, messages = bench.size(READERS, 200), bench.size(MESSAGES_IN_COMPARISON, 30)
    with serving(bench) as server, _delivering(bench, server, readers) as deliver:
        deliver(messages)
        yield lambda: figures_of(_what(readers), deliver(messages))


def _what(readers: int) -> str:
    return f"deliveries, one message at a time, {readers:,} readers"


@contextmanager
def _delivering(bench: Bench, server: Server, readers: int) -> Iterator[Callable[[int], Work]]:
    """A function that posts that number of messages, each when all readers have the one before, and checks the reader's
    data."""
    crowd = connect(server.target, bench.cookies, readers)
    crowd.settle(1.5)
    crowd.peers[-1].kept = bytearray()
    sender = Sender(crowd.peers[0], TEXT_BYTES)

    def deliveries(messages: int) -> Work:
        crowd.begin()
        meter = Meter(server.pid)
        one_at_a_time(crowd, sender, messages)
        work = meter.read(messages * readers)
        kept = crowd.peers[-1].kept
        assert kept is not None and len(frames.messages(bytes(kept))) == messages
        return work

    yield deliveries
    crowd.close()


@contextmanager
def sending(bench: Bench, frame: Path, readers: int) -> Iterator[Callable[[int], Work]]:
    """The connected *send* floor: a function that sends that number of messages to all."""
    with floors.start(bench, "send", str(frame)) as floor:
        target = Target("127.0.0.1", floors.port_of(floor), "")
        floor.ask(f"accept {readers}")
        crowd = connect(target, [], readers)
        floor.read_line()

        def deliveries(messages: int) -> Work:
            crowd.begin_counting()
            meter = Meter(floor.pid)
            floor.write_line(f"go {messages}")
            crowd.until(lambda: crowd.marks >= messages * readers)
            work = meter.read(messages * readers)
            floor.read_line()
            return work

        yield deliveries
        crowd.close()


@contextmanager
def _repeating(bench: Bench, frame: Path, readers: int, messages: int) -> Iterator[Callable[[], Work]]:
    """The loop over `send_str` in bare aiohttp, with the same load as the server."""
    with floors.start(bench, "bare", str(payload_of(frame)), "application/json") as floor:
        crowd = connect(Target("127.0.0.1", floors.port_of(floor), "/repeat"), [""], readers)
        sender = Sender(crowd.peers[0], TEXT_BYTES)

        def deliveries() -> Work:
            crowd.begin()
            meter = Meter(floor.pid)
            one_at_a_time(crowd, sender, messages)
            return meter.read(messages * readers)

        yield deliveries
        crowd.close()
