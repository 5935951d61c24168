"""Measures how long a ping waits for the event loop while the server has other work."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

from tests.bench import frames
from tests.bench.bench import Bench
from tests.bench.results import percentile
from tests.bench.server import Server
from tests.bench.sockets import connect

PING_EVERY_SECONDS = 0.005


def during(bench: Bench, server: Server, work: Callable[[], object]) -> tuple[float, float]:
    """The slowest and the median answer to a ping, in ms, while `work` runs in a thread."""
    crowd = connect(server.target, bench.cookies, 1)
    sock = crowd.peers[0].sock
    crowd.settle(0.5)
    sock.setblocking(True)
    working = threading.Thread(target=work)
    working.start()
    took: list[float] = []
    while working.is_alive():
        took.append(_ping(sock, len(took)))
        time.sleep(PING_EVERY_SECONDS)
    working.join()
    crowd.close()
    return max(took) * 1000, percentile(took, 0.5) * 1000


def _ping(sock: socket.socket, number: int) -> float:
    started = time.perf_counter()
    sock.send(frames.masked(b'{"type":"ping","t":%d}' % number))
    awaited = b'"t":%d,' % number
    got = b""
    while awaited not in got:
        got += sock.recv(65_536)
    return time.perf_counter() - started
