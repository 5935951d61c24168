"""What systemd and a service say to each other. Without systemd all of it does nothing.

See sd_notify(3), sd_listen_fds(3) and sd_watchdog_enabled(3).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

_FIRST_LISTEN_FD = 3

logger = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Tell the service manager, e.g. "READY=1", "STOPPING=1" or "STATUS=…". Never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # the abstract namespace of Linux
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            # Asleep here, the whole room would be: better an unheard word than a stopped loop.
            channel.setblocking(False)
            channel.sendto(state.encode(), address)
    except OSError as error:
        logger.warning("notifying the service manager of %s failed: %s", state.partition("=")[0], error)


def listen_sockets() -> list[socket.socket]:
    """The sockets that the service manager already listens on for us; usually none.

    They are ours alone from then on: the variables go, so that no child takes them for its own.
    """
    pid = os.environ.pop("LISTEN_PID", "")
    count = os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()) or not (count.isascii() and count.isdigit()):
        return []
    sockets = []
    for fd in range(_FIRST_LISTEN_FD, _FIRST_LISTEN_FD + int(count)):
        os.set_inheritable(fd, False)
        sockets.append(socket.socket(fileno=fd))
    return sockets


@contextlib.asynccontextmanager
async def watched(probe: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Meanwhile, tell a watchdog that we live: twice in its time, and only after `probe` has come back.

    A loop that hangs tells nothing, nor does one whose probe hangs; then the manager starts us anew.
    """
    seconds = _watchdog_seconds()
    if not seconds:
        yield
        return

    async def feed() -> None:
        while True:
            await probe()
            notify("WATCHDOG=1")
            await asyncio.sleep(seconds / 2)

    task = asyncio.create_task(feed(), name="watchdog")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _watchdog_seconds() -> float:
    """How long the manager waits for a word; 0 when it does not wait for ours."""
    usec, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not (usec.isascii() and usec.isdigit()) or pid not in ("", str(os.getpid())):
        return 0.0
    return int(usec) / 1_000_000
