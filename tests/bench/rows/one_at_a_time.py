"""Row 1: the cost of one message. Stored durably, sent to a thousand, acknowledged; then the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import floors, frames
from tests.bench.bench import Bench
from tests.bench.results import Result, at_least
from tests.bench.rows._sample import TEXT_BYTES, payload_of, ready_frame
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import serving
from tests.bench.sockets import Target, connect

READERS = 1_000
MESSAGES = 150


def run(bench: Bench) -> Result:
    readers, messages = bench.size(READERS, 200), bench.size(MESSAGES, 30)
    with serving(bench) as server:
        frame = ready_frame(bench, server)
        with sending(bench, frame, readers) as send, _repeating(bench, frame, readers, messages) as send_str:
            crowd = connect(server.target, bench.cookies, readers)
            crowd.settle(1.5)
            crowd.peers[-1].kept = bytearray()
            sender = Sender(crowd.peers[0], TEXT_BYTES)

            def deliveries_a_second() -> float:
                crowd.begin()
                seconds = one_at_a_time(crowd, sender, messages)
                kept = crowd.peers[-1].kept
                assert kept is not None and len(frames.messages(bytes(kept))) == messages
                return messages * readers / seconds

            found = bench.in_turns(server=deliveries_a_second, send=lambda: send(messages), send_str=send_str)
            crowd.close()
    result = Result()
    what = f"deliveries, one message at a time, {readers:,} readers"
    result.line(what, "/s", found["server"], "*send*", found["send"], at_least(0.7))
    result.line("the same", "/s", found["server"], "`send_str` loop", found["send_str"], at_least(1.5))
    return result


@contextmanager
def sending(bench: Bench, frame: Path, readers: int) -> Iterator[Callable[[int], float]]:
    """The *send* floor, connected: a function from a number of messages to deliveries a second."""
    with floors.start(bench, "send", str(frame)) as floor:
        target = Target("127.0.0.1", floors.port_of(floor), "")
        floor.ask(f"accept {readers}")
        crowd = connect(target, [], readers)
        floor.hear()

        def deliveries_a_second(messages: int) -> float:
            crowd.begin_counting()
            started = time.perf_counter()
            floor.say(f"go {messages}")
            crowd.until(lambda: crowd.marks >= messages * readers)
            elapsed = time.perf_counter() - started
            floor.hear()
            return messages * readers / elapsed

        yield deliveries_a_second
        crowd.close()


@contextmanager
def _repeating(bench: Bench, frame: Path, readers: int, messages: int) -> Iterator[Callable[[], float]]:
    """The loop over `send_str` in bare aiohttp, driven just as the server is."""
    with floors.start(bench, "bare", str(payload_of(frame)), "application/json") as floor:
        crowd = connect(Target("127.0.0.1", floors.port_of(floor), "/repeat"), [""], readers)
        sender = Sender(crowd.peers[0], TEXT_BYTES)

        def deliveries_a_second() -> float:
            crowd.begin()
            return messages * readers / one_at_a_time(crowd, sender, messages)

        yield deliveries_a_second
        crowd.close()
