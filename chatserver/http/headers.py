"""The headers that every response has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from chatserver.http.request_id import REQUEST_ID

REQUEST_ID_HEADER = "X-Request-ID"

# Only files of this origin, no inline scripts or styles, no embedding in frames, Trusted Types for HTML sinks.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
    " form-action 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'"
)
_SAME_ORIGIN_CONNECTIONS = "connect-src 'self'"
# For uploaded pictures: no scripts, no forms, no plugins, even if a browser would treat a picture as a document.
MEDIA_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"

_SERVER = "chat"  # the default of aiohttp names the versions of aiohttp and Python
_HEADERS = {
    "Server": _SERVER,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
_HEADERS_OVER_HTTPS = _HEADERS | {"Strict-Transport-Security": "max-age=31536000"}  # 1 year


def policy_with_sockets(host: str) -> str:
    """The policy of a page that opens a WebSocket to `host` ("example.com:8000"), which is valid in a policy.

    Safari before 16 does not count ws: and wss: as 'self', and `new WebSocket` throws there. Both schemes are
    named, because a proxy that is not trusted may serve a plain http page over https.
    """
    named = f"{_SAME_ORIGIN_CONNECTIONS} ws://{host} wss://{host}"
    return CONTENT_SECURITY_POLICY.replace(_SAME_ORIGIN_CONNECTIONS, named)


def common_headers(secure: bool) -> dict[str, str]:
    """The headers of every response. `secure`: browsers use https, so HSTS is added (RFC 6797)."""
    return _HEADERS_OVER_HTTPS if secure else _HEADERS


def prepare_handler(secure: bool) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A handler for `Application.on_response_prepare`. It does not replace headers that the response already has."""

    async def add_to(request: web.Request, response: web.StreamResponse) -> None:
        if request_id := request.get(REQUEST_ID):
            response.headers[REQUEST_ID_HEADER] = request_id
        if response.status != 101:
            add(response, secure)

    return add_to


def add(response: web.StreamResponse, secure: bool) -> None:
    """Add the common headers that `response` does not have, and replace `Server`."""
    for name, value in common_headers(secure).items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = _SERVER
