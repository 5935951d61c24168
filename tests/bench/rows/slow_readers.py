"""Row 6: two readers that never read, among fifty that do. They must not cost the others anything."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.bench import Bench
from tests.bench.results import Result, at_most
from tests.bench.senders import Sender, by_the_clock, watch
from tests.bench.server import serving
from tests.bench.sockets import Peer, connect

LIVE, STUCK = 50, 2
TEXT_BYTES = 8_000
RATE, SECONDS = 250, 4
OUTBOX_KIB = 1024
# Send this number of messages before memory is measured, so that the room's history has its full size.
WARMING = 150


@dataclass(frozen=True, slots=True)
class _Turn:
    slowest_ms: float
    lost: int
    grown_kib: int
    dropped: int


def run(bench: Bench) -> Result:
    found = bench.in_turns(stuck=lambda: _turn(bench, STUCK), none=lambda: _turn(bench, 0))
    stuck, none = found["stuck"], found["none"]
    result = Result()
    result.line("deliveries lost by the others", "", [turn.lost for turn in stuck], goal=at_most(0))
    result.line("slowest delivery to the others", "ms", [turn.slowest_ms for turn in stuck], goal=at_most(100))
    # The cost of the same four seconds without the two readers is subtracted.
    extra = [float(with_.grown_kib - without.grown_kib) / STUCK for with_, without in zip(stuck, none, strict=True)]
    result.line("memory at its peak for each of the two", "KiB", extra, goal=at_most(OUTBOX_KIB))
    dropped = sum(turn.dropped for turn in stuck)
    result.notes.append(
        f"{RATE} messages a second; {dropped} of {STUCK * len(stuck)} stuck readers were given up. Without them the"
        f" slowest delivery took {max(turn.slowest_ms for turn in none):.0f} ms at most."
    )
    return result


def _turn(bench: Bench, stuck: int) -> _Turn:
    with serving(bench, text_max=10_000) as server:
        crowd = connect(server.target, bench.cookies, LIVE)
        senders = [Sender(crowd.peers[0], TEXT_BYTES)]
        watch(crowd)
        by_the_clock(crowd, senders, RATE, WARMING / RATE)
        idle = connect(server.target, bench.cookies, stuck)
        crowd.settle(1.5)
        before = server.resident_kib()
        server.forget_peak()
        loop = by_the_clock(crowd, senders, RATE, bench.size(SECONDS, SECONDS))
        grown = server.peak_kib() - before
        crowd.settle(0.3)
        dropped = sum(map(_given_up, idle.peers))
        crowd.close()
        idle.close()
    return _Turn(max(loop.slowest) * 1000, loop.lost, grown, dropped)


def _given_up(peer: Peer) -> bool:
    """True if the server, after all that was on its way, has sent a close frame (1013) or closed the connection."""
    peer.sock.settimeout(1.0)
    last = b""
    try:
        while piece := peer.sock.recv(1 << 20):
            last = (last + piece)[-4:]
    except TimeoutError:
        return last == b"\x88\x02\x03\xf5"
    except OSError:
        return True
    return True
