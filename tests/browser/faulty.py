"""A server with a bug in it, which starts as run.py does: `python -m tests.browser.faulty serve`.

A route that no page requests fails, so that a test can look at the error page of an internal error.
"""

from __future__ import annotations

import sys

from aiohttp import web

from chatserver.features.messages.history import History

PROGRAM = ("-m", "tests.browser.faulty")
PATH = "/api/recent_messages_apiint/1"


async def fail(history: History, request: web.Request) -> web.Response:
    raise RuntimeError("the fault that was asked for")


if __name__ == "__main__":
    # This must happen before the server binds the routes.
    History.ROUTES = tuple(
        route._replace(handler=fail) if route.handler is History.get_count else route for route in History.ROUTES
    )  # type: ignore[assignment]

    from chatserver.cli import main

    sys.exit(main())
