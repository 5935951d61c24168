"""The messages as JSON, and the probes."""

from __future__ import annotations

import time

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Page
from chatserver.db import health
from chatserver.features.messages.recent import API_PAGE
from chatserver.http import encode, responses
from chatserver.http.keys import DATABASE, ENCODER, FEED, ROOM, SETTINGS

OLDER_MAX = 100
ID_MAX = 2**63 - 1
# How long one probe of the database answers for: a monitor must not make the disk work.
PROBED_SECONDS = 1.0


async def recent(request: web.Request) -> web.StreamResponse:
    return await _newest(request, API_PAGE)


async def recent_some(request: web.Request) -> web.StreamResponse:
    return await _newest(request, min(int(request.match_info["count"][:9]), request.app[SETTINGS].now.history_limit))


async def messages(request: web.Request) -> web.StreamResponse:
    """`?before=ID&limit=N`: the page just before ID. `?q=TEXT`: the newest that hold it, below ID if one is given."""
    before = _number(request, "before", 1, ID_MAX, ID_MAX)
    limit = _number(request, "limit", 1, OLDER_MAX, API_PAGE)
    history = request.app[ROOM].history
    if "q" in request.query:
        text = request.query["q"]
        if len(text) > 200:
            raise DomainError(ErrorCode.TOO_LONG, limit=200)
        found = await history.search(text, before, limit)
    else:
        found = await history.older(before, limit)
    return _page(request, found)


async def healthz(request: web.Request) -> web.Response:
    return responses.json({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """503 when a write does not reach the disk, or when the server is stopping."""
    probe = request.app[PROBE]
    if time.monotonic() - probe.at > PROBED_SECONDS:
        try:
            await health.check_writable(request.app[DATABASE])
            probe.trouble = ""
        except DomainError as refusal:
            probe.trouble = refusal.code.value
        probe.at = time.monotonic()
    if probe.trouble:
        response = responses.json({"status": probe.trouble}, 503)
        response.headers["Retry-After"] = "5"
        return response
    return responses.json({"status": "ok"})


class Probe:
    """What the last look at the database said."""

    def __init__(self) -> None:
        self.at = float("-inf")
        self.trouble = ""


PROBE = web.AppKey("probe", Probe)


async def _newest(request: web.Request, count: int) -> web.StreamResponse:
    feed = request.app[FEED]
    if not feed.holds(count):
        return _page(request, await request.app[ROOM].history.newest(count))
    return responses.ready_json(feed.recent(count))


def _page(request: web.Request, page: Page) -> web.StreamResponse:
    messages = encode.listed(map(request.app[ENCODER].encoded, page.messages))
    return responses.ready_json(encode.page(messages, page.seq, page.first_id, page.epoch))


def _number(request: web.Request, name: str, least: int, most: int, default: int) -> int:
    typed = request.query.get(name)
    if typed is None:
        return default
    if not (typed.isascii() and typed.isdigit() and len(typed) < 20 and least <= int(typed) <= most):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return int(typed)
