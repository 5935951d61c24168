"""A short run of the workbench's fuzzing: no input causes an error of the server or kills a worker."""

from __future__ import annotations

from pathlib import Path

from chatserver.media.workers import ImageWorkers
from tests.client import Browser
from tests.process.faults import fuzz
from tests.process.faults.test_readers import resident_kib
from tests.process.serving import serving

SEED = 2026
HISTORY, TEXT_MAX = 100, 2_000  # the default of a room
# Log only errors, because nobody reads the server's log while it runs, and a full pipe would stop it.
FLAGS = (
    *("--send-interval", "0", "--connections-per-address", "0", "--registrations-per-hour", "0"),
    *("--log-level", "error"),
)


async def test_frames_and_requests_from_a_seed_make_no_error_of_ours(tmp_path: Path) -> None:
    found = await fuzzed(tmp_path, frames=3_000, requests=500)
    assert found["sockets"] > 10 and found["statuses"] > 5


async def fuzzed(data: Path, frames: int, requests: int) -> dict[str, float]:
    """Both kinds of fuzzing, against the real server. Memory is measured from when the server is warm.

    The server is warm when its history is full, and after a fifth of the same load. The first thousands of requests
    load modules that the first visit did not need, and leave cycles until the collector runs
    (core/garbage_collection.py lets 50,000 objects accumulate). Neither of them continues to grow.
    """
    async with serving(data, *FLAGS) as server, Browser(server.address) as member:
        await member.register("小明")
        token = await member.token()
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in member.session.cookie_jar)
        await _fill_the_history(member)
        await fuzz.socket_frames(server.address, cookies, SEED - 1, frames // 5)
        await fuzz.http_requests(server.address, cookies, token, SEED - 1, requests // 5)
        before = resident_kib(server)
        sockets = await fuzz.socket_frames(server.address, cookies, SEED, frames)
        statuses = await fuzz.http_requests(server.address, cookies, token, SEED, requests)
        growth = resident_kib(server) / before - 1
        async with Browser(server.address) as guest:
            await guest.register("小红")
            await (await guest.socket()).say("still here", "c-1")
        done = await server.stop()
        assert done.code == 0
        assert done.err == "", done.err[-3_000:]
        return {"sockets": sockets, "statuses": len(statuses), "growth": growth}


async def _fill_the_history(member: Browser) -> None:
    """Fill the history with the longest messages."""
    socket = await member.socket()
    for number in range(HISTORY):
        await socket.say("长" * TEXT_MAX, f"h-{number}")
    assert len((await member.get(f"/api/recent_messages_apiint/{HISTORY}")).json["messages"]) == HISTORY
    await socket.close()


async def test_mutated_pictures_from_a_seed_kill_no_worker(tmp_path: Path) -> None:
    async with ImageWorkers() as workers:
        found = await fuzz.images(workers, tmp_path, SEED, 150)
        assert len(workers._alive) == 1, "a worker died and was replaced"
    assert found["taken"] > 5 and found["image_unreadable"] > 5
