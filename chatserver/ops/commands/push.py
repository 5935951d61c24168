"""`chatserver push`: send the server's push notifications, in a separate process with access to the internet."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import ssl
from pathlib import Path

from chatserver.core.config import SETTINGS
from chatserver.ops.call import Call, run_async
from chatserver.ops.command import Command
from chatserver.ops.failure import EXIT_USAGE, CommandError
from chatserver.ops.options import add_setting

_SETTINGS = ("push_services", "log_level", "log_format")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--socket", type=Path, help="the server's push socket (default: push/push.sock of the data)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="certificates (PEM) to trust besides the system's")
    parser.add_argument(
        "--allow-private", action="store_true", help="for tests alone: services may have private addresses"
    )
    for setting in SETTINGS:
        if setting.name in _SETTINGS:
            add_setting(parser, setting)


def run(call: Call) -> None:
    from chatserver.core import logs

    logs.setup(call.config.log_level, call.config.log_format)
    run_async(_forward(call))


async def _forward(call: Call) -> None:
    from chatserver.ops.control.server import PUSH_SOCKET
    from chatserver.ops.push.forward import Forward
    from chatserver.ops.push.sender import Sender

    arguments, config = call.arguments, call.config
    try:
        ca = arguments.ca.read_text("ascii") if arguments.ca else ""
        sender = Sender(config.push_services, ca=ca, allow_private=arguments.allow_private)
    except (ssl.SSLError, UnicodeError):
        raise CommandError(f"{arguments.ca}: is no certificate in PEM", EXIT_USAGE) from None
    forward = Forward(arguments.socket or config.data_dir / PUSH_SOCKET, sender)
    async with sender:
        task = asyncio.create_task(forward.run())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        print(f"sending to {', '.join(config.push_services) or 'no push service'}", flush=True)
        with contextlib.suppress(asyncio.CancelledError):
            await task


COMMAND = Command("push", "send the push notifications of a running server", add_arguments, run)
