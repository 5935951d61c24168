"""Rows 9 and 10: the room's page and its newest messages, compared with the same bytes from a bare handler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.bench import floors
from tests.bench.bench import Bench, Measure
from tests.bench.processes import Meter
from tests.bench.requests import Answer, ask, fetch
from tests.bench.results import Result, Work, at_least, figures_of
from tests.bench.rows._sample import TEXT_BYTES
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import Server, serving
from tests.bench.sockets import Target, connect

MESSAGES = 100
SECONDS, SECONDS_IN_COMPARISON = 2, 0.6
ROOM, API = "/", "/api/recent_messages/"
WHAT = {ROOM: "`GET /` with 100 messages", API: "`GET /api/recent_messages/`"}


def room(bench: Bench) -> Result:
    return _compare(bench, ROOM, 0.65)


def api(bench: Bench) -> Result:
    return _compare(bench, API, 0.75)


def comparable_room(bench: Bench) -> AbstractContextManager[Measure]:
    return _comparable(bench, ROOM)


def comparable_api(bench: Bench) -> AbstractContextManager[Measure]:
    return _comparable(bench, API)


@contextmanager
def _comparable(bench: Bench, path: str) -> Iterator[Measure]:
    with serving(bench) as server:
        _fill(bench, server)

        def answers() -> Work:
            return _answers(server.pid, server.target, path, bench.cookies[0], SECONDS_IN_COMPARISON)

        answers()
        yield lambda: figures_of(WHAT[path], answers())


def _compare(bench: Bench, path: str, goal: float) -> Result:
    result = Result()
    with serving(bench) as server:
        _fill(bench, server)
        compare_with_constant(bench, server, path, WHAT[path], goal, result)
    return result


def compare_with_constant(bench: Bench, server: Server, path: str, what: str, goal: float, result: Result) -> None:
    """Two lines: answers a second, and the time of the core for one, compared with *constant* with the same bytes."""
    cookie = bench.cookies[0]
    answer = fetch(server.target, path, cookie)
    with floors.start(bench, "bare", *_body(bench, answer)) as floor:
        bare = Target(server.target.host, floors.port_of(floor), "")
        seconds = bench.size(SECONDS, 1)
        found = bench.in_turns(
            server=lambda: _answers(server.pid, server.target, path, cookie, seconds),
            constant=lambda: _answers(floor.pid, bare, "/constant", cookie, seconds),
        )
    size = f"{len(answer.body) / 1000:.0f} KB"
    result.compare(f"{what}, {size}", found["server"], "*constant*", found["constant"], at_least(goal))


def _answers(pid: int, target: Target, path: str, cookie: str, seconds: float) -> Work:
    meter = Meter(pid)
    return meter.read(ask(target, path, cookie, seconds))


def _fill(bench: Bench, server: Server) -> None:
    crowd = connect(server.target, bench.cookies, 2)
    one_at_a_time(crowd, Sender(crowd.peers[0], TEXT_BYTES), MESSAGES)
    crowd.close()


def _body(bench: Bench, answer: Answer) -> tuple[str, str]:
    path = bench.work / "body"
    path.write_bytes(answer.body)
    return str(path), answer.content_type
