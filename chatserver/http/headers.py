"""The headers that every answer carries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from chatserver.http.keys import REQUEST_ID

REQUEST_ID_HEADER = "X-Request-ID"

# Nothing but our own files, nothing inline, no frame around us, no string becomes markup.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
    " form-action 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
# What members uploaded, even as we re-encoded it, may do nothing at all.
MEDIA_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"

_SERVER = "chat"  # else aiohttp names itself and Python, with their versions
_HEADERS = {
    "Server": _SERVER,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_HEADERS_OVER_HTTPS = _HEADERS | {"Strict-Transport-Security": "max-age=31536000"}  # a year


def always(secure: bool) -> dict[str, str]:
    """What stands in every answer, whatever it answers."""
    return _HEADERS_OVER_HTTPS if secure else _HEADERS


def adder(secure: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """An `on_response_prepare` handler; a handler's own headers win."""

    async def add_to(request: web.Request, response: web.StreamResponse) -> None:
        if request_id := request.get(REQUEST_ID):
            response.headers[REQUEST_ID_HEADER] = request_id
        if response.status != 101:
            add(response, secure)

    return add_to


def add(response: web.StreamResponse, secure: bool) -> None:
    for name, value in always(secure).items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = _SERVER
