"""Every request gets an id: in its answer, in each line logged on the way, and in the page of a 500.

So a member who reads out twelve characters has named the lines in the log.
"""

from __future__ import annotations

import logging
import random
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from chatserver import logs
from chatserver.web.keys import GATE, REQUEST_ID, WATCH

log = logging.getLogger(__name__)


@web.middleware
async def trace(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost of all. The id is ours, never the client's: what comes from outside names nothing in our log."""
    request[REQUEST_ID] = request_id = f"{random.getrandbits(48):012x}"  # nosec B311 # it names lines and opens nothing
    token = logs.REQUEST_ID.set(request_id)
    begun = time.perf_counter()
    status = 500
    try:
        response = await handler(request)
        status = response.status
        return response
    except web.HTTPException as error:
        status = error.status
        raise
    finally:
        request.app[WATCH].answers[status] += 1
        if log.isEnabledFor(logging.DEBUG):
            _note(request, status, time.perf_counter() - begun)
        logs.REQUEST_ID.reset(token)


def _note(request: web.Request, status: int, seconds: float) -> None:
    """The access log, at `debug` only. The path without its query, where tokens and invitations stand."""
    facts = {"address": request.app[GATE].address(request), "ms": round(seconds * 1000, 1)}
    log.debug("%s %s %d", request.method, request.path, status, extra=facts)
