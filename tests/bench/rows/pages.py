"""Rows 9 and 10: the room's page and its newest messages, against the same bytes from a bare handler."""

from __future__ import annotations

from tests.bench import floors
from tests.bench.bench import Bench
from tests.bench.processes import Meter
from tests.bench.requests import Answer, ask, fetch
from tests.bench.results import Figure, Result, Work, at_least, figures_of
from tests.bench.rows._sample import TEXT_BYTES
from tests.bench.senders import Sender, one_at_a_time
from tests.bench.server import Server, serving
from tests.bench.sockets import Target, connect

MESSAGES = 100
SECONDS, SECONDS_IN_COMPARISON, WARMING_SECONDS = 2, 3, 0.5


ROOM, API = "/", "/api/recent_messages/"
WHAT = {ROOM: "`GET /` with 100 messages", API: "`GET /api/recent_messages/`"}


def room(bench: Bench) -> Result:
    return _compare(bench, ROOM, 0.4)


def api(bench: Bench) -> Result:
    return _compare(bench, API, 0.75)


def turn_of_room(bench: Bench) -> list[Figure]:
    return _one_turn(bench, ROOM)


def turn_of_api(bench: Bench) -> list[Figure]:
    return _one_turn(bench, API)


def _one_turn(bench: Bench, path: str) -> list[Figure]:
    with serving(bench) as server:
        _fill(bench, server)
        pid, target, cookie = server.pid, server.target, bench.cookies[0]
        _answers(pid, target, path, cookie, WARMING_SECONDS)
        return figures_of(WHAT[path], _answers(pid, target, path, cookie, bench.size(SECONDS_IN_COMPARISON, 1)))


def _compare(bench: Bench, path: str, goal: float) -> Result:
    cookie = bench.cookies[0]
    with serving(bench) as server:
        _fill(bench, server)
        answer = fetch(server.target, path, cookie)
        with floors.start(bench, "bare", *_body(bench, answer)) as floor:
            bare = Target(server.target.host, floors.port_of(floor), "")
            seconds = bench.size(SECONDS, 1)
            found = bench.in_turns(
                server=lambda: _answers(server.pid, server.target, path, cookie, seconds),
                constant=lambda: _answers(floor.pid, bare, "/constant", cookie, seconds),
            )
    result = Result()
    size = f"{len(answer.body) / 1000:.0f} KB"
    result.compare(f"{WHAT[path]}, {size}", found["server"], "*constant*", found["constant"], at_least(goal))
    return result


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
