"""The health probes: whether the process answers, and whether the database can be written."""

from __future__ import annotations

import time

from aiohttp import web

from chatserver.core.errors import DomainError
from chatserver.db import health
from chatserver.db.database import Database
from chatserver.http import responses
from chatserver.http.access import Access
from chatserver.http.route import Route

# The result of a database probe is reused for this time, so that a monitor does not cause disk writes all the time.
PROBE_SECONDS = 1.0


class Health:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._probed_at = float("-inf")
        # The error code of the last probe; "" for none.
        self._error = ""

    async def get_live(self, request: web.Request) -> web.Response:
        return responses.as_json({"status": "ok"})

    async def get_ready(self, request: web.Request) -> web.Response:
        """Answers 503 if a write does not reach the disk, or if the server is stopping."""
        if time.monotonic() - self._probed_at > PROBE_SECONDS:
            try:
                await health.check_writable(self._database)
                self._error = ""
            except DomainError as error:
                self._error = error.code.value
            self._probed_at = time.monotonic()
        if self._error:
            response = responses.as_json({"status": self._error}, 503)
            response.headers["Retry-After"] = "5"
            return response
        return responses.as_json({"status": "ok"})

    ROUTES = (
        Route("GET", "/healthz", get_live, Access.OPEN),
        Route("GET", "/readyz", get_ready, Access.OPEN),
    )
