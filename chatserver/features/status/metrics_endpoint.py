"""`/metrics`: for a scraper on this host, or for one that knows the token."""

from __future__ import annotations

import asyncio
import hmac

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.status.metrics import Metrics
from chatserver.http.keys import METRICS, ORIGIN, SETTINGS

_SCHEME = "bearer "


async def get(request: web.Request) -> web.Response:
    """The figures in Prometheus' text format. Refuses with `forbidden`."""
    if not (_has_token(request) or request.app[ORIGIN].is_local(request)):
        raise DomainError(ErrorCode.FORBIDDEN)
    # In a thread: it asks the file system and /proc, and the first scrape imports the library.
    body, content_type = await asyncio.to_thread(_exposition, request.app[METRICS])
    return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


def _has_token(request: web.Request) -> bool:
    """True for the token of the settings; where none is set, nothing that is sent is one."""
    token = request.app[SETTINGS].now.metrics_token
    sent = request.headers.get("Authorization", "")
    if not token or sent[: len(_SCHEME)].lower() != _SCHEME:
        return False
    return hmac.compare_digest(token.encode(), sent[len(_SCHEME) :].strip().encode("utf-8", "replace"))


def _exposition(watch: Metrics) -> tuple[bytes, str]:
    from chatserver.features.status import prometheus

    return prometheus.exposition(watch, watch.disk()), prometheus.CONTENT_TYPE
