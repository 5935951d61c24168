"""How late the loop is while 200 logins come at once: `python -m tests.security.lag` prints a line for the docs.

A figure, not a test: it depends on the machine, and on what else that machine does.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable
from pathlib import Path

from chatserver.clock import SystemClock
from tests.web.client import PASSWORD, Browser, House, opened

LOGINS, ROUNDS, TICK_SECONDS = 200, 12, 0.005


async def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        settings = {"bcrypt_rounds": ROUNDS, "trusted_proxies": "127.0.0.1"}
        async with opened(Path(directory) / "data", SystemClock(), **settings) as house:
            print(await measured(house))


async def measured(house: House) -> str:
    await house.server.room.accounts.make_administrator("店长", PASSWORD)
    guests = [await house.guest(X_Forwarded_For=f"10.{n // 250}.{n % 250}.1") for n in range(LOGINS)]
    for guest in guests:
        await guest.token()
    idle = await lags(asyncio.sleep(2))
    begun = time.monotonic()
    busy = await lags(asyncio.gather(*(log_in(guest, n) for n, guest in enumerate(guests))))
    seconds = time.monotonic() - begun
    return (
        f"{LOGINS} logins at once, bcrypt {ROUNDS}, {seconds:.1f} s: the loop is late by {spread(busy)}"
        f" (client and server in one process; idle: {spread(idle)})"
    )


async def log_in(guest: Browser, n: int) -> None:
    async with asyncio.timeout(120):
        await guest.log_in(f"nobody{n}", "not the password")


async def lags(work: Awaitable[object]) -> list[float]:
    """How late a tick of 5 ms was, each time, while `work` went on; in ms."""
    found: list[float] = []

    async def tick() -> None:
        while True:
            due = time.monotonic() + TICK_SECONDS
            await asyncio.sleep(TICK_SECONDS)
            found.append((time.monotonic() - due) * 1000)

    ticking = asyncio.create_task(tick())
    await work
    ticking.cancel()
    await asyncio.gather(ticking, return_exceptions=True)
    return found


def spread(found: list[float]) -> str:
    found = sorted(found)
    middle, p99 = found[len(found) // 2], found[int(len(found) * 0.99)]
    return f"{middle:.1f} ms in the middle, {p99:.1f} at p99, {found[-1]:.1f} at most"


if __name__ == "__main__":
    asyncio.run(main())
