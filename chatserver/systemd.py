"""The systemd protocols: notifications, socket activation, watchdog. Without systemd they do nothing.

See sd_notify(3), sd_listen_fds(3) and sd_watchdog_enabled(3).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

from chatserver.core.numbers import whole_number

_LISTEN_FDS_START = 3

logger = logging.getLogger(__name__)


def notify(state: str) -> None:
    """Send a state to the service manager: "READY=1", "STOPPING=1", "STATUS=…" (sd_notify(3)). Never raises."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):  # an abstract socket address (unix(7))
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            # Do not block: a blocking send could stop the event loop, and a lost notification does less harm.
            channel.setblocking(False)
            channel.sendto(state.encode(), address)
    except OSError as error:
        logger.warning("sending %s to the service manager failed: %s", state.partition("=")[0], error)


def listen_sockets() -> list[socket.socket]:
    """The listening sockets that the service manager passes to this process (sd_listen_fds(3)); often none.

    Removes the environment variables, so that child processes do not use the sockets.
    """
    pid = os.environ.pop("LISTEN_PID", "")
    count = os.environ.pop("LISTEN_FDS", "")
    os.environ.pop("LISTEN_FDNAMES", None)
    if pid != str(os.getpid()):
        return []
    sockets = []
    for fd in range(_LISTEN_FDS_START, _LISTEN_FDS_START + (whole_number(count) or 0)):
        os.set_inheritable(fd, False)
        sockets.append(socket.socket(fileno=fd))
    return sockets


@contextlib.asynccontextmanager
async def watchdog(probe: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Send "WATCHDOG=1" twice in each watchdog interval during the block, each time after `probe` has returned.

    If the event loop or `probe` hangs, nothing is sent, and the service manager restarts the service.
    """
    seconds = _watchdog_seconds()
    if not seconds:
        yield
        return

    async def notify_repeatedly() -> None:
        while True:
            await probe()
            notify("WATCHDOG=1")
            await asyncio.sleep(seconds / 2)

    task = asyncio.create_task(notify_repeatedly(), name="watchdog")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _watchdog_seconds() -> float:
    """The watchdog interval in seconds; 0 if the watchdog is off or is for another process."""
    if os.environ.get("WATCHDOG_PID", "") not in ("", str(os.getpid())):
        return 0.0
    return (whole_number(os.environ.get("WATCHDOG_USEC", "")) or 0) / 1_000_000
