"""Row 15: orders as fast as acks allow, compared with plain texts of the same members in the same turns.

A member may have 20 orders in a window, so a turn has several windows, in each of which a hundred members order 10
times. Opening and closing a window is not counted. The texts are sent in the same way, 10 of each member at a time.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.bench import frames, orders
from tests.bench.bench import Bench
from tests.bench.processes import Meter
from tests.bench.results import Result, Work, at_least
from tests.bench.rows._sample import TEXT_BYTES
from tests.bench.senders import Sender, each_sends
from tests.bench.server import Server, serving
from tests.bench.sockets import Crowd, connect

MEMBERS = 100
ORDERS_OF_EACH = 10
WINDOWS, WINDOWS_WHEN_QUICK = 10, 1
WHAT = "orders, durable, 100 members as fast as acks allow, 100 readers"


def run(bench: Bench) -> Result:
    with serving(bench) as server:
        keeper = orders.Keeper(bench, server, bench.members[-1])
        crowd = connect(server.target, bench.cookies[:MEMBERS], MEMBERS)
        crowd.settle(1.5)
        crowd.peers[-1].kept = bytearray()
        texts = [Sender(peer, TEXT_BYTES) for peer in crowd.peers]
        ordering = orders.orderers(crowd)
        windows = bench.size(WINDOWS, WINDOWS_WHEN_QUICK)

        def in_window() -> Work:
            keeper.open()
            work = _measured(server, crowd, lambda: orders.order(crowd, ordering, ORDERS_OF_EACH))
            keeper.close()
            return work

        def of_texts() -> Work:
            return _measured(server, crowd, lambda: each_sends(crowd, texts, ORDERS_OF_EACH))

        found = bench.in_turns(
            orders=lambda: _sum([in_window() for _ in range(windows)]),
            texts=lambda: _sum([of_texts() for _ in range(windows)]),
        )
        crowd.close()
    result = Result()
    result.compare(WHAT, found["orders"], "texts in the same turns", found["texts"], at_least(0.7))
    result.notes.append(f"a turn is {windows} windows of {MEMBERS * ORDERS_OF_EACH:,} orders.")
    return result


def _measured(server: Server, crowd: Crowd, send: Callable[[], None]) -> Work:
    """What the hundred members send: ORDERS_OF_EACH frames each. The frames of the last reader are parsed."""
    crowd.begin()
    meter = Meter(server.pid)
    send()
    work = meter.read(len(crowd.peers) * ORDERS_OF_EACH)
    kept = crowd.peers[-1].kept
    assert kept is not None
    if len(frames.messages(bytes(kept))) != work.count:
        raise AssertionError("a reader missed a message, or got one twice")
    return work


def _sum(works: list[Work]) -> Work:
    return Work(
        sum(work.count for work in works),
        sum(work.seconds for work in works),
        sum(work.core_seconds for work in works),
    )
