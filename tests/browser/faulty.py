"""The room with a fault in it, run as run.py is: `python -m tests.browser.faulty serve`.

A page that no page asks for fails, as if by a mistake of ours, so that what a reader sees of one can be looked at.
"""

from __future__ import annotations

import sys

from aiohttp import web

from chatserver.features.messages import api

PROGRAM = ("-m", "tests.browser.faulty")
PATH = "/api/recent_messages_apiint/1"


async def fail(request: web.Request) -> web.Response:
    raise RuntimeError("the fault that was asked for")


if __name__ == "__main__":
    # Before the routes are read, which name their handlers once.
    api.recent_some = fail

    from chatserver.cli import main

    sys.exit(main())
