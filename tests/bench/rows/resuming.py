"""Row 11: a thousand clients come back at the same time and request the changes that they missed."""

from __future__ import annotations

import json
import time

from tests.bench.bench import Bench
from tests.bench.frames import MARK
from tests.bench.requests import fetch
from tests.bench.results import Result, at_most
from tests.bench.rows._sample import TEXT_BYTES
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import serving
from tests.bench.sockets import connect, hang_up, open_sockets

CLIENTS, MISSED = 1_000, 100


def run(bench: Bench) -> Result:
    clients = bench.size(CLIENTS, 200)
    with serving(bench) as server:
        crowd = connect(server.target, bench.cookies, 2)
        sender = Sender(crowd.peers[0], TEXT_BYTES)
        one_at_a_time(crowd, sender, 1)

        def back_after() -> float:
            crowd.begin()
            now = json.loads(fetch(server.target, "/api/recent_messages/", bench.cookies[0]).body)
            one_at_a_time(crowd, sender, MISSED)
            target = server.target.at(f"/ws/chat/?after={now['seq']}&epoch={now['epoch']}")
            requests = [target.request(bench.cookies[n % len(bench.cookies)]) for n in range(clients)]
            started = time.perf_counter()
            found = open_sockets(target, requests, in_flight=clients, is_open=_has_all)
            elapsed = time.perf_counter() - started
            for sock in found:
                hang_up(sock)
            time.sleep(1.0)
            return elapsed

        found = bench.in_turns(server=back_after)
        crowd.close()
    result = Result()
    what = f"until {clients:,} clients that missed {MISSED} messages are back"
    result.line(what, "s", found["server"], goal=at_most(3))
    return result


def _has_all(got: bytearray) -> bool:
    """True when the whole `sync` has arrived. It must hold each of the missed messages once."""
    # Search for its end only when there are enough bytes for all of the messages.
    if len(got) < MISSED * TEXT_BYTES or got.count(MARK) < MISSED:
        return False
    if b'"complete":true' not in got or got.count(MARK) > MISSED:
        raise AssertionError("a client was not told exactly what it missed")
    return True
