"""Builds responses: JSON for programs, pages and redirects for browsers, errors in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web

from chatserver.core import json
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.http import bot_path, page_context
from chatserver.http.aiohttp_compat.prebuilt import Headers, PrebuiltResponse
from chatserver.http.headers import policy_with_sockets
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER, wants_html, wants_json
from chatserver.i18n import explain

_PAGE = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), ("Vary", "Cookie"))
# The number of hosts whose headers are cached. Without a base URL each request can name another host.
HOSTS_MAX = 256
_JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def status_of(error: DomainError) -> int:
    """The HTTP status of an error: 415 for a body that is encoded, which no route takes (RFC 9110, section 8.4).

    426 for a WebSocket of another version (RFC 6455, section 4.4), else the status of its code.
    """
    if "encoding" in error.details:
        return 415
    return 426 if "websocket_version" in error.details else error.code.status


def as_json(value: Any, status: int = 200) -> web.Response:
    return encoded_json(json.dumps(value), status)


def encoded_json(body: bytes, status: int = 200) -> web.Response:
    """A response with a `body` that is already encoded as JSON."""
    return web.Response(body=body, status=status, headers=_JSON)


def prebuilt_json(body: bytes) -> PrebuiltResponse:
    return PrebuiltResponse([body], _JSON)


def prebuilt_page(request: web.Request, pieces: Sequence[bytes]) -> PrebuiltResponse:
    """A prebuilt page that opens a WebSocket."""
    return PrebuiltResponse(pieces, _page_with_sockets(request.app[SITE].origin.policy_host(request)))


@lru_cache(HOSTS_MAX)
def _page_with_sockets(host: str) -> Headers:
    return (*_PAGE, ("Content-Security-Policy", policy_with_sockets(host))) if host else _PAGE


def rendered(request: web.Request, template: str, values: dict[str, Any]) -> bytes:
    html: str = aiohttp_jinja2.render_string(template, request, values)
    return html.encode()


def page(request: web.Request, template: str, values: dict[str, Any], status: int = 200) -> web.Response:
    response: web.Response = aiohttp_jinja2.render_template(
        template, request, {**page_context.for_reader(request), **values}, status=status
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def see_other(path: str) -> web.Response:
    """Redirect with 303. The browser continues with a GET, so that a reload does not send the form again."""
    return web.Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def message(error: DomainError, language: str) -> str:
    """The error as a sentence in this language."""
    return explain(language, error.code.value, error.details)


def refused_json(request: web.Request, error: DomainError) -> web.Response:
    shown = {"code": error.code.value, "message": message(error, request[VIEWER].language), **error.details}
    return _counted(request, as_json({"error": shown}, status_of(error)), error)


def refused_page(request: web.Request, error: DomainError) -> web.Response:
    """An error page; a reader who only has to log in is redirected to the login page."""
    if error.code is ErrorCode.LOGIN_REQUIRED and request.method in ("GET", "HEAD"):
        there = quote(request.rel_url.raw_path_qs, safe="/")
        return see_other(f"/login/?next={there}" if request.path != "/" else "/login/")
    values = {
        "status": status_of(error),
        "code": error.code.value,
        "message": message(error, request[VIEWER].language),
        "error_id": error.details.get("id", ""),
    }
    return _counted(request, page(request, "error.html", values, status_of(error)), error)


def refused(request: web.Request, error: DomainError) -> web.Response:
    # No page if the path has a bot's token, because a page sends its path as the Referer of the files that it loads.
    is_page = wants_html(request) and not bot_path.has_token(request.path)
    return refused_page(request, error) if is_page else refused_json(request, error)


def refused_form(request: web.Request, error: DomainError, template: str, values: dict[str, Any]) -> web.Response:
    """Show the form again with the typed values and the error; answer with JSON if the request accepts JSON."""
    if wants_json(request):
        return refused_json(request, error)
    shown = {"code": error.code.value, "message": message(error, request[VIEWER].language)}
    return _counted(request, page(request, template, {**values, "error": shown}, status_of(error)), error)


def _counted(request: web.Request, response: web.Response, error: DomainError) -> web.Response:
    """Count an error answer, and add the headers that say when or how to try again."""
    request.app[SITE].count_error(error.code)
    if response.status in (429, 503):
        wait_ms = error.details.get("retry_after_ms", 1000)
        response.headers["Retry-After"] = str(max(1, -(-wait_ms // 1000)))
    if response.status == 426:
        response.headers["Upgrade"] = "websocket"
        response.headers["Sec-WebSocket-Version"] = error.details["websocket_version"]
    return response
