"""Log lines about refused attempts, in a format that fail2ban reads: docs/operating.md, "Refused attempts"."""

from __future__ import annotations

import logging

from aiohttp import web

from chatserver.http.site import SITE

log = logging.getLogger(__name__)

WRONG_ORIGIN = "wrong_origin"


def log_attempt(request: web.Request, what: str, **fields: str) -> None:
    """Log `WHAT from ADDRESS` at info level, with the `fields`."""
    address = request.app[SITE].origin.client_address(request)
    log.info("%s from %s", what, address, extra={"address": address, **fields})
