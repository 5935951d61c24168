"""Connections that post: one after the other, as fast as acks allow, or at fixed times."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench import frames
from tests.bench.sockets import Crowd, Peer

# In an open loop, every delivery to one of this number of readers is timed.
TIMED_READERS = 100


class Sender:
    """A connection that posts. Its frames differ only in a number, so that making one costs nothing."""

    def __init__(self, peer: Peer, size: int) -> None:
        self.peer = peer
        peer.sends = True
        self._name = secrets.token_hex(4)
        self._sent = 0
        draft = {**self._fields(size), "client_id": f"{self._name}-{0:08d}"}
        self._head, self._rest = frames.masked(json.dumps(draft).encode()).split(b"00000000", 1)

    def _fields(self, size: int) -> dict[str, object]:
        return {"type": "post", "text": frames.text(size)}

    def send(self) -> str:
        """Send the next frame. Returns its client_id."""
        self._sent += 1
        number = b"%08d" % self._sent
        frame = self._head + number + self._rest
        if self.peer.sock.send(frame) != len(frame):
            raise RuntimeError("the server has stopped reading from a sender")
        return f"{self._name}-{self._sent:08d}"


def one_at_a_time(crowd: Crowd, sender: Sender, count: int) -> None:
    """Send each message when the message before was acknowledged. Returns when every reader has all of them."""
    peer = sender.peer
    for number in range(1, count + 1):
        sender.send()
        crowd.until(lambda wanted=number: peer.acks >= wanted)  # type: ignore[misc]
    crowd.until(lambda: crowd.marks >= count * len(crowd.peers))


def as_acks_allow(crowd: Crowd, senders: Sequence[Sender], seconds: float) -> int:
    """All connections send, wait for the ack, and repeat. Returns the number of messages, when every reader has all of
    them."""
    sent = {sender: 0 for sender in senders}
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        for sender in senders:
            if sender.peer.acks >= sent[sender]:
                sender.send()
                sent[sender] += 1
        crowd.pump()
    messages = sum(sent.values())
    crowd.until(lambda: crowd.marks >= messages * len(crowd.peers))
    crowd.until(lambda: all(sender.peer.acks >= sent[sender] for sender in senders))
    return messages


def each_sends(crowd: Crowd, senders: Sequence[Sender], count: int, marks_each: int = 1) -> None:
    """Each connection sends `count` frames, each when the frame before was acknowledged.

    Returns when every reader has all of them. A message contains the mark `marks_each` times.
    """
    sent = {sender: 0 for sender in senders}

    def have_all_sent() -> bool:
        for sender in senders:
            if sent[sender] < count and sender.peer.acks >= sent[sender]:
                sender.send()
                sent[sender] += 1
        return all(sender.peer.acks >= count for sender in senders)

    crowd.until(have_all_sent)
    crowd.until(lambda: crowd.marks >= count * len(senders) * len(crowd.peers) * marks_each)


@dataclass(frozen=True, slots=True)
class OpenLoop:
    """Seconds from when a message was due: for each timed delivery, and until the last timed reader had it."""

    latencies: list[float]
    slowest: list[float]
    lost: int


def by_the_clock(crowd: Crowd, senders: Sequence[Sender], rate: float, seconds: float) -> OpenLoop:
    """Post `rate` messages a second, whether or not the messages before were answered.

    The crowd's last peer keeps all frames, so that it shows the order of the messages and is checked for gaps and
    repetitions. Call `watch` before.
    """
    sample = crowd.peers[-1]
    crowd.begin()
    due: dict[str, float] = {}
    total = int(rate * seconds)
    started = time.perf_counter() + 0.05
    sent = 0
    while sent < total:
        now = time.perf_counter()
        while sent < total and started + sent / rate <= now:
            due[senders[sent % len(senders)].send()] = started + sent / rate
            sent += 1
        crowd.pump()
    crowd.until(lambda: crowd.marks >= total * len(crowd.peers), or_quiet=True)
    assert sample.kept is not None
    in_order = [due[message["client_id"]] for message in frames.messages(bytes(sample.kept))]
    latencies: list[float] = []
    slowest = [0.0] * len(in_order)
    for peer in crowd.peers:
        had = 0
        for when, marks in peer.log or ():
            for number in range(had, min(marks, len(in_order))):
                late = when - in_order[number]
                latencies.append(late)
                slowest[number] = max(slowest[number], late)
            had = marks
    return OpenLoop(latencies, slowest, total * len(crowd.peers) - crowd.marks)


def watch(crowd: Crowd, timed: int = TIMED_READERS) -> None:
    """Time the deliveries to `timed` readers, evenly spread, and keep the bytes of the last one."""
    step = max(1, len(crowd.peers) // timed)
    for peer in crowd.peers[::step]:
        peer.log = []
    crowd.peers[-1].kept = bytearray()
