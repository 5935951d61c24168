"""The token of an `Authorization: Bearer` header (RFC 6750, section 2.1)."""

from __future__ import annotations

from aiohttp import web

_SCHEME = "bearer "


def token_of(request: web.Request) -> str | None:
    """The token, or None for a request without such a header."""
    sent = request.headers.get("Authorization", "")
    return sent[len(_SCHEME) :].strip() if sent[: len(_SCHEME)].lower() == _SCHEME else None
