"""`chatserver serve`, or `chatserver` alone: run the server until it is stopped."""

from __future__ import annotations

import gc
import sys

from chatserver.core import garbage_collection, logs
from chatserver.ops import dependencies
from chatserver.ops.call import Call, run_async
from chatserver.ops.command import Command
from chatserver.ops.options import add_settings


def run(call: Call) -> None:
    garbage_collection.pause()  # ends when the server listens
    try:
        dependencies.check()
        from chatserver.ops.serve import serve

        logs.setup(call.config.log_level, call.config.log_format, in_thread=True)
        sys.exit(run_async(serve(call.config, call.sources)))
    finally:
        gc.enable()


COMMAND = Command("serve", "run the server (the default)", add_settings, run, position=1)
