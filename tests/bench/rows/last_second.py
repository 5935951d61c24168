"""Row 14: a thousand members order in the last second of a window, and all get an answer.

This is done twice: with one order each millisecond until the end, and with all orders at once shortly before the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench import members, orders
from tests.bench.bench import Bench
from tests.bench.processes import Meter
from tests.bench.results import Result, at_most
from tests.bench.senders import Sender
from tests.bench.server import Server, serving
from tests.bench.sockets import Crowd, Peer, connect

MEMBERS, MEMBERS_WHEN_QUICK = 1_000, 100
WINDOW_SECONDS = 3
LAST_SECOND_MS = 1_000
# The time before the end at which all members order at once.
AT_ONCE_MS = 100


@dataclass(frozen=True, slots=True)
class _Turn:
    """`seconds` from the end of the window until the last answer; the number of accepted and of late orders.

    `core_seconds`: the time of the core from the first order to the last answer. `wrong`: the number of orders that
    were refused although they were not late, or accepted although they were.
    """

    seconds: float
    core_seconds: float
    accepted: int
    late: int
    wrong: int


def run(bench: Bench) -> Result:
    count = bench.size(MEMBERS, MEMBERS_WHEN_QUICK)
    with serving(bench) as server:
        crowd = _crowd(bench, server, count)
        senders = orders.orderers(crowd)
        keeper = orders.Keeper(bench, server, bench.members[0])
        spread = [LAST_SECOND_MS * (count - number) / count for number in range(count)]
        found = bench.in_turns(
            spread=lambda: _turn(server, keeper, crowd, senders, spread),
            at_once=lambda: _turn(server, keeper, crowd, senders, [AT_ONCE_MS] * count),
        )
        crowd.close()
    result = Result()
    for name, how in (("spread", "over the last second"), ("at_once", f"{AT_ONCE_MS} ms before the end")):
        turns = found[name]
        what = f"{count:,} members order {how}: last answer, after the end"
        result.line(what, "s", [turn.seconds for turn in turns], goal=at_most(2))
        result.line("time of the core for all of them", "s", [turn.core_seconds for turn in turns])
        result.line("of them neither accepted in time nor late", "", [turn.wrong for turn in turns], goal=at_most(0))
        result.line("of them late", "", [turn.late for turn in turns])
    return result


def _crowd(bench: Bench, server: Server, count: int) -> Crowd:
    """A connection for each of that number of members. Members that the bench lacks are registered."""
    here = server.target
    more = members.register(here.host, here.port, max(0, count - len(bench.members)), first=len(bench.members))
    crowd = connect(here, [*bench.cookies, *(member.cookie for member in more)], count)
    for peer in crowd.peers:
        peer.refused = bytearray()
    crowd.settle(1.5)
    return crowd


def _turn(
    server: Server, keeper: orders.Keeper, crowd: Crowd, senders: Sequence[Sender], before_ms: Sequence[float]
) -> _Turn:
    """Open a window. Each member orders that number of ms before its end. The load and the server use the same
    clock."""
    window = keeper.open(WINDOW_SECONDS)
    crowd.begin()
    ends = window["closes_ms"] / 1000
    due = [ends - each / 1000 for each in before_ms]
    sent = 0
    meter = Meter(server.pid)

    def are_all_answered() -> bool:
        nonlocal sent
        while sent < len(senders) and due[sent] <= time.time():
            senders[sent].send()
            sent += 1
        return sent == len(senders) and all(peer.acks or peer.refused for peer in crowd.peers)

    crowd.until(are_all_answered)
    seconds, core_seconds = time.time() - ends, meter.read(len(senders)).core_seconds
    crowd.settle(1.0)
    refusals = [_refusal(peer) for peer in crowd.peers if peer.refused]
    ledger = keeper.ledger(window["id"])["orders"]
    accepted = sum(peer.acks for peer in crowd.peers)
    if accepted != len(ledger) or accepted + len(refusals) != len(senders):
        raise AssertionError(f"{accepted} orders were accepted, {len(refusals)} refused, {len(ledger)} are kept")
    late = [each for each in refusals if each["code"] == "window_closed" and each.get("late_ms", -1) >= 0]
    wrong = len(refusals) - len(late) + sum(order["created_ms"] >= window["closes_ms"] for order in ledger)
    return _Turn(seconds, core_seconds, accepted, len(late), wrong)


def _refusal(peer: Peer) -> dict[str, Any]:
    """The first refusal that the connection got."""
    assert peer.refused is not None
    found: dict[str, Any]
    found, _ = json.JSONDecoder().raw_decode(bytes(peer.refused).decode("utf-8", "replace"))
    return found
