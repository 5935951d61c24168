"""Runs the server as a process: prints its addresses, and handles the signals that stop or reload it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping

from chatserver import systemd
from chatserver.core import garbage_collection
from chatserver.core.clock import SystemClock
from chatserver.core.config import Config
from chatserver.http.application import read_templates
from chatserver.http.listening import reachable
from chatserver.server import running


async def serve(config: Config, sources: Mapping[str, str]) -> int:
    """Run the room until SIGTERM or SIGINT. Returns the exit code.

    `sources` gives the source of each setting's value, as config.load returns it.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(config, SystemClock(), sources) as server:
        loop.add_signal_handler(signal.SIGHUP, stop.set if _is_on_a_terminal() else server.reload)
        print(f"listening on {server.address}", flush=True)
        print(f"data directory: {config.data_dir.absolute()}", flush=True)
        if server.setup_token:
            # If a base URL is set, requests with another Host are refused (421), also on this machine.
            public = config.base_url or reachable(server.address)
            print(f"first administrator: {public}/setup/?token={server.setup_token}", flush=True)
        garbage_collection.resume()
        systemd.notify("READY=1")
        await asyncio.to_thread(read_templates, server.app)
        await stop.wait()
        systemd.notify("STOPPING=1")
    return 0


def _is_on_a_terminal() -> bool:
    """True on a terminal, where SIGHUP means that the terminal was closed; elsewhere SIGHUP requests a reload."""
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()
