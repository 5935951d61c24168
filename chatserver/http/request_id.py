"""Request ids. The id is in the response header, in each log line of the request, and on the page of a 500.

With its 12 characters an operator finds the log lines of an error that a member reports.
"""

from __future__ import annotations

import logging
import random
import re
import time

from aiohttp import web

from chatserver.core import logs
from chatserver.core.user_agent import USER_AGENT
from chatserver.http import bot_path
from chatserver.http.site import SITE

log = logging.getLogger(__name__)

_TOKEN = re.compile(r"(?<=^/password/).+", re.S)

REQUEST_ID = web.RequestKey("request_id", str)


def begin(request: web.Request) -> float:
    """Set a new id for the request, and its User-Agent for the audit log.

    An id from the client is not used, because it could imitate the id of another request.
    Returns the time of `time.perf_counter`, for `end`.
    """
    request[REQUEST_ID] = request_id = f"{random.getrandbits(48):012x}"  # nosec B311 # an id in log lines, not a secret
    USER_AGENT.set(request.headers.get("User-Agent", ""))
    logs.REQUEST_ID.set(request_id)  # aiohttp runs each request in a task with its own context
    return time.perf_counter()


def end(request: web.Request, status: int, begun: float) -> None:
    """Count the response, and log it at `debug` level. `begun` is the return value of `begin`."""
    request.app[SITE].count_answer(status)
    if log.isEnabledFor(logging.DEBUG):
        facts = {
            "address": request.app[SITE].origin.address(request),
            "ms": round((time.perf_counter() - begun) * 1000, 1),
        }
        log.debug("%s %s %d", request.method, logged_path(request), status, extra=facts)


def logged_path(request: web.Request) -> str:
    """The path for a log, without secrets: the token of a bot or of a password link, and the query, which can hold an
    invitation.
    """
    return _TOKEN.sub("…", bot_path.without_token(request.path))
