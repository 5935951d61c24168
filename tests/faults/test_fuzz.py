"""A little of what the workbench does at length: nothing that is sent makes an error of ours, or kills a worker."""

from __future__ import annotations

from pathlib import Path

from chatserver.media import ImageWorkers
from tests.faults import fuzz
from tests.faults.test_readers import resident_kib
from tests.process.serving import serving
from tests.web.client import Browser

SEED = 2026
# Errors alone: nobody reads the server's log while it runs, and a full pipe would stop it.
FLAGS = (
    *("--send-interval", "0", "--connections-per-address", "0", "--registrations-per-hour", "0"),
    *("--log-level", "error"),
)


async def test_frames_and_requests_from_a_seed_make_no_error_of_ours(tmp_path: Path) -> None:
    found = await fuzzed(tmp_path, frames=3_000, requests=500)
    assert found["sockets"] > 10 and found["statuses"] > 5


async def fuzzed(data: Path, frames: int, requests: int, growth_max: float | None = None) -> dict[str, float]:
    """Both, against the real server; a tenth of it first, so that memory is measured against a warm one."""
    async with serving(data, *FLAGS) as server, Browser(server.address) as member:
        await member.register("小明")
        token = await member.token()
        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in member.session.cookie_jar)
        await fuzz.socket_frames(server.address, cookies, SEED - 1, frames // 10)
        await fuzz.http_requests(server.address, cookies, token, SEED - 1, requests // 10)
        before = resident_kib(server)
        sockets = await fuzz.socket_frames(server.address, cookies, SEED, frames)
        statuses = await fuzz.http_requests(server.address, cookies, token, SEED, requests)
        growth = resident_kib(server) / before - 1
        async with Browser(server.address) as guest:
            await guest.register("小红")
            await (await guest.socket()).say("still here", "c-1")
        done = await server.stop()
        assert done.code == 0
        # Our own errors have an id. aiohttp logs a traceback for a body that is no gzip and that nobody read.
        assert '"message": "error ' not in done.err, done.err[-3_000:]
        if growth_max is not None:
            assert growth <= growth_max
        return {"sockets": sockets, "statuses": len(statuses), "growth": growth}


async def test_mutated_pictures_from_a_seed_kill_no_worker(tmp_path: Path) -> None:
    async with ImageWorkers() as workers:
        found = await fuzz.images(workers, tmp_path, SEED, 150)
        assert len(workers._alive) == 1, "a worker died and was replaced"
    assert found["taken"] > 5 and found["image_unreadable"] > 5
