"""How a handler answers: JSON for programs, pages and redirects for browsers, refusals in the reader's words."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import aiohttp_jinja2
from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.http import page_context
from chatserver.http import viewer as viewers
from chatserver.http.aiohttp_compat.prebuilt import PrebuiltResponse
from chatserver.http.encode import dumps
from chatserver.http.keys import METRICS, VIEWER
from chatserver.i18n import explain

STATUS = {
    ErrorCode.BAD_REQUEST: 400,
    ErrorCode.EMPTY: 400,
    ErrorCode.TOO_LONG: 400,
    ErrorCode.NAME_INVALID: 400,
    ErrorCode.PASSWORD_WEAK: 400,
    ErrorCode.INVITE_INVALID: 400,
    ErrorCode.IMAGE_UNREADABLE: 400,
    ErrorCode.LOGIN_REQUIRED: 401,
    ErrorCode.LOGIN_FAILED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.CSRF: 403,
    ErrorCode.NOT_YOURS: 403,
    ErrorCode.RECALL_EXPIRED: 403,
    ErrorCode.MUTED: 403,
    ErrorCode.BANNED: 403,
    ErrorCode.REGISTRATION_CLOSED: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.NAME_TAKEN: 409,
    ErrorCode.WINDOW_CLOSED: 409,
    ErrorCode.GONE: 410,
    ErrorCode.BODY_TOO_LARGE: 413,
    ErrorCode.IMAGE_TOO_LARGE: 413,
    ErrorCode.IMAGE_UNSUPPORTED: 415,
    ErrorCode.WRONG_HOST: 421,
    ErrorCode.TOO_FAST: 429,
    ErrorCode.LOGIN_THROTTLED: 429,
    ErrorCode.INTERNAL: 500,
    ErrorCode.BUSY: 503,
    ErrorCode.STORAGE_FULL: 507,
}
_PAGE = (("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-store"), ("Vary", "Cookie"))
_JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))


def json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=dumps(value), status=status, headers=_JSON)


def ready_json(body: bytes) -> PrebuiltResponse:
    return PrebuiltResponse(body, _JSON)


def ready_page(body: bytes) -> PrebuiltResponse:
    return PrebuiltResponse(body, _PAGE)


def page(request: web.Request, template: str, values: dict[str, Any], status: int = 200) -> web.Response:
    response: web.Response = aiohttp_jinja2.render_template(
        template, request, {**page_context.whole(request), **values}, status=status
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def see_other(path: str) -> web.Response:
    """303: the browser goes on with a GET, so that a reload repeats nothing."""
    return web.Response(status=303, headers={"Location": path, "Cache-Control": "no-store"})


def words(refusal: DomainError, language: str) -> str:
    """The refusal as a sentence for this reader."""
    return explain(language, refusal.code.value, refusal.details)


def refused_json(request: web.Request, refusal: DomainError) -> web.Response:
    sentence = words(refusal, request[VIEWER].language)
    error = {"code": refusal.code.value, "message": sentence, **refusal.details}
    return _counted(request, json({"error": error}, STATUS[refusal.code]), refusal)


def refused_page(request: web.Request, refusal: DomainError) -> web.Response:
    """The page that says no; a reader who only has to log in first is taken there."""
    if refusal.code is ErrorCode.LOGIN_REQUIRED and request.method in ("GET", "HEAD"):
        there = quote(request.rel_url.raw_path_qs, safe="/")
        return see_other(f"/login/?next={there}" if request.path != "/" else "/login/")
    values = {
        "status": STATUS[refusal.code],
        "code": refusal.code.value,
        "message": words(refusal, request[VIEWER].language),
        "error_id": refusal.details.get("id", ""),
    }
    return _counted(request, page(request, "error.html", values, STATUS[refusal.code]), refusal)


def refused(request: web.Request, refusal: DomainError) -> web.Response:
    return refused_page(request, refusal) if viewers.wants_html(request) else refused_json(request, refusal)


def refused_form(request: web.Request, refusal: DomainError, template: str, values: dict[str, Any]) -> web.Response:
    """The form again, with what was typed and what was wrong; JSON for those who asked for JSON."""
    if viewers.wants_json(request):
        return refused_json(request, refusal)
    error = {"code": refusal.code.value, "message": words(refusal, request[VIEWER].language)}
    return _counted(request, page(request, template, {**values, "error": error}, STATUS[refusal.code]), refusal)


def _counted(request: web.Request, response: web.Response, refusal: DomainError) -> web.Response:
    """Every refusal over HTTP leaves through here: it is counted, and says when to come back."""
    request.app[METRICS].refused(refusal.code)
    if response.status in (429, 503):
        wait_ms = refusal.details.get("retry_after_ms", 1000)
        response.headers["Retry-After"] = str(max(1, -(-wait_ms // 1000)))
    return response
