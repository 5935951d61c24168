"""The delay of the event loop during 200 logins: `python -m tests.security.lag` prints a line for the docs.

It is a figure, not a test. The clients run in a process of their own. The program tells why a tick is late: the loop
was busy (the processor time of its thread, which does not depend on other work of the machine), it waited for a
processor (the kernel counts this for each thread, Documentation/scheduler/sched-stats.rst), or it waited for the GIL.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from chatserver.core.clock import SystemClock
from tests.client import JSON, PASSWORD, Browser, House, opened

LOGINS, ROUNDS, TICK_SECONDS = 200, 12, 0.005


@dataclass(frozen=True, slots=True)
class Tick:
    """In ms: the delay of the tick, the processor time of the loop's thread, and the time that it was ready but did not
    run."""

    late: float
    worked: float
    queued: float


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = {"bcrypt_rounds": ROUNDS, "trusted_proxies": "127.0.0.1"}
        async with opened(Path(directory) / "data", SystemClock(), **settings) as house:
            await house.server.room.administrators.make_administrator("店长", PASSWORD)
            await measured(house)


async def measured(house: House) -> None:
    crowd = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.security.lag", house.address, stdin=PIPE, stdout=PIPE
    )
    await _says(crowd, b"ready")
    tell("idle", await ticks(asyncio.sleep(2)))
    begun = time.monotonic()
    assert crowd.stdin is not None
    crowd.stdin.write(b"go\n")
    busy = await ticks(_says(crowd, b"done"))
    tell(f"{LOGINS} logins at once, bcrypt {ROUNDS}, {time.monotonic() - begun:.1f} s", busy)
    await crowd.wait()


async def _says(crowd: Process, word: bytes) -> None:
    assert crowd.stdout is not None
    line = await crowd.stdout.readline()
    assert line.strip() == word, line


async def ticks(work: Awaitable[object]) -> list[Tick]:
    """Take a tick every 5 ms during `work`."""
    found: list[Tick] = []
    schedule = os.open(f"/proc/self/task/{threading.get_native_id()}/schedstat", os.O_RDONLY)

    def queued() -> float:
        return int(os.pread(schedule, 100, 0).split()[1]) / 1e6

    async def tick() -> None:
        while True:
            due, worked, waited = time.monotonic() + TICK_SECONDS, time.thread_time(), queued()
            await asyncio.sleep(TICK_SECONDS)
            late = (time.monotonic() - due) * 1000
            found.append(Tick(late, (time.thread_time() - worked) * 1000, queued() - waited))

    ticking = asyncio.create_task(tick())
    await work
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    os.close(schedule)
    return found


def tell(what: str, found: list[Tick]) -> None:
    late, worked, queued = (
        spread(values) for values in ([t.late for t in found], [t.worked for t in found], [t.queued for t in found])
    )
    print(f"{what}: the loop is late by {late}; at work for {worked}; waited for a processor {queued}", flush=True)


def spread(found: list[float]) -> str:
    found = sorted(found)
    return f"{found[len(found) // 2]:.1f}/{found[int(len(found) * 0.99)]:.1f}/{found[-1]:.1f} ms (middle/p99/most)"


async def crowded(address: str) -> None:
    """The clients: each comes from an address of its own with its own token. Then all log in at the same time."""
    async with AsyncExitStack() as stack:
        guests = [
            await stack.enter_async_context(Browser(address, X_Forwarded_For=f"10.{n // 250}.{n % 250}.1"))
            for n in range(LOGINS)
        ]
        for guest in guests:
            await guest.token()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(log_in(guest, n) for n, guest in enumerate(guests)))
        print("done", flush=True)


async def log_in(guest: Browser, n: int) -> None:
    fields = {"username": f"nobody{n}", "password": "not the password", "csrf_token": await guest.token()}
    async with asyncio.timeout(120), guest.session.post(guest.address + "/login/", data=fields, headers=JSON) as answer:
        assert answer.status in (401, 503), answer.status


if __name__ == "__main__":
    asyncio.run(crowded(sys.argv[1]) if len(sys.argv) > 1 else main())
