"""`/metrics`, for a scraper on this host or with the token."""

from __future__ import annotations

import asyncio
import hmac

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.status.metrics import Metrics
from chatserver.http import bearer
from chatserver.http.access import Access
from chatserver.http.origin import OriginPolicy
from chatserver.http.route import Route


class MetricsEndpoint:
    def __init__(self, settings: CurrentConfig, origin: OriginPolicy, metrics: Metrics) -> None:
        self._settings = settings
        self._origin = origin
        self._metrics = metrics

    async def get(self, request: web.Request) -> web.Response:
        """The metrics in Prometheus' text format. Raises DomainError `forbidden`."""
        if not (self._has_token(request) or self._origin.is_local(request)):
            raise DomainError(ErrorCode.FORBIDDEN)
        body, content_type = await asyncio.to_thread(_exposition, self._metrics)
        return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    def _has_token(self, request: web.Request) -> bool:
        """True if the request has the token of the settings; always False if the settings have no token."""
        token = self._settings.now.metrics_token
        sent = bearer.token_of(request)
        if not token or sent is None:
            return False
        return hmac.compare_digest(token.encode(), sent.encode("utf-8", "replace"))

    ROUTES = (Route("GET", "/metrics", get, Access.OPEN),)


def _exposition(metrics: Metrics) -> tuple[bytes, str]:
    from chatserver.features.status import prometheus  # the first import loads the library, which takes 60 ms

    return prometheus.exposition(metrics), prometheus.CONTENT_TYPE
