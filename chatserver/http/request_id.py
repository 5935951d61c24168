"""Every request gets an id: in its answer, in each line logged on the way, and in the page of a 500.

So a member who reads out twelve characters has named the lines in the log.
"""

from __future__ import annotations

import logging
import random
import time

from aiohttp import web

from chatserver.core import logs
from chatserver.http.keys import METRICS, ORIGIN, REQUEST_ID

log = logging.getLogger(__name__)


def begin(request: web.Request) -> float:
    """Give the request its id, which is ours, never the client's: what comes from outside names nothing in our log.

    Returns the moment, for `end`.
    """
    request[REQUEST_ID] = request_id = f"{random.getrandbits(48):012x}"  # nosec B311 # it names lines and opens nothing
    logs.REQUEST_ID.set(request_id)  # a request runs in a task, and so in a context, of its own
    return time.perf_counter()


def end(request: web.Request, status: int, begun: float) -> None:
    """Count the answer, and note it in the access log, which is kept at `debug` only."""
    request.app[METRICS].answers[status] += 1
    if log.isEnabledFor(logging.DEBUG):
        # The path without its query, where tokens and invitations stand.
        facts = {"address": request.app[ORIGIN].address(request), "ms": round((time.perf_counter() - begun) * 1000, 1)}
        log.debug("%s %s %d", request.method, request.path, status, extra=facts)
