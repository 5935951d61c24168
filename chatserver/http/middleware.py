"""The one middleware: it finds the reader, checks access, calls the handler, and answers errors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import Session
from chatserver.http import cookies, forms, request_id, responses
from chatserver.http.access import Access
from chatserver.http.attempts import WRONG_ORIGIN, log_attempt
from chatserver.http.cookies import COOKIES
from chatserver.http.request_id import REQUEST_ID
from chatserver.http.route import Route
from chatserver.http.site import Site
from chatserver.http.upload_concurrency import UploadConcurrency
from chatserver.http.viewer import FORM, VIEWER, Viewer, limit_key

log = logging.getLogger(__name__)

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Guard:
    """The parts that the middleware uses.

    `routes` has the access level and the options of each route; `find_session` finds the session of a request, and
    raises DomainError for a wrong token of a bot; `new_upload`, which is called in a thread, makes a path for an
    uploaded file.
    """

    site: Site
    routes: Mapping[web.AbstractRoute, Route]
    find_session: Callable[[web.Request], Awaitable[Session | None]]
    new_upload: Callable[[], Path]
    uploads: UploadConcurrency
    secure: bool

    @property
    def visitor_cookie(self) -> str:
        """The name of the cookie that a browser's CSRF token is derived from."""
        return "__Host-visitor" if self.secure else "visitor"


def make_middleware(guard: Guard) -> Middleware:
    """Make the only middleware. Its four tasks are in one function, because each middleware costs every request 2
    µs."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = request_id.begin(request)
        viewer = _viewer(guard, request)
        try:
            response = await _guarded(guard, request, viewer, handler)
        except Exception as error:
            response = _error_answer(request, error)
            error.__traceback__ = None  # the traceback refers to the request, which may refer to the error
        if not response.prepared:
            _set_cookies(guard, response, viewer)
        request_id.end(request, response.status, begun)
        return response

    return answer


def _error_answer(request: web.Request, error: Exception) -> web.Response:
    """Answer a domain error in the reader's language, and any other error only with the id that the log has too."""
    if isinstance(error, DomainError):
        if error.details.get("reason") == "origin":
            log_attempt(request, WRONG_ORIGIN, origin=error.details["origin"], own=error.details["own"])
        response = responses.refused(request, error)
        if not request.content.at_eof():
            response.force_close()  # the rest of a refused upload is not read
        return response
    if isinstance(error, web.HTTPException):
        return _aiohttp_error_answer(request, error)
    if isinstance(error, ConnectionError):
        return web.Response(status=400)  # the client closed the connection within its body, and reads no answer
    error_id = request[REQUEST_ID]
    log.error("unhandled error %s: %s %s", error_id, request.method, request_id.logged_path(request), exc_info=error)
    return responses.refused(request, DomainError(ErrorCode.INTERNAL, id=error_id))


def _viewer(guard: Guard, request: web.Request) -> Viewer:
    request[COOKIES] = known = cookies.parse(request)
    visitor = known.get(guard.visitor_cookie, "")[:64]
    request[VIEWER] = viewer = Viewer(
        request,
        known,
        guard.site.settings.now.language,
        # a cookie of this server is ASCII; other bytes may not even be valid text
        visitor if visitor.isascii() else None,
    )
    return viewer


async def _guarded(guard: Guard, request: web.Request, viewer: Viewer, handler: Handler) -> web.StreamResponse:
    """Check Host, access and, for requests that change something, origin and CSRF token; then call the handler.

    A request with a bot's token needs neither origin nor CSRF token.
    """
    route = guard.routes.get(request.match_info.route)
    access = route.access if route else None
    if access is Access.OPEN:
        return await handler(request)
    guard.site.origin.check_host(request)
    if (
        route is None or access is None or access is Access.FILE
    ):  # there is no such route: the handler answers with 404 or 405
        return await handler(request)
    viewer.session = await guard.find_session(request)
    access.check(viewer.user, guard.site.settings.now.guests, route.bots)
    if request.method in SAFE_METHODS:
        return await handler(request)
    if not viewer.is_bot:
        guard.site.origin.check_origin(request)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    # the decoded body may have a thousand times the bytes: 190 KB can decode to 187 MB
    if encoding not in ("", "identity"):
        raise DomainError(ErrorCode.BAD_REQUEST, encoding=encoding[:40])
    request[FORM] = form = await _read_form(guard, request, viewer, route.file)
    try:
        return await handler(request)
    finally:
        await forms.close(form)


def _set_cookies(guard: Guard, response: web.StreamResponse, viewer: Viewer) -> None:
    """Set the visitor cookie with a first page, and cookies for the choices by `?ui=` and `?lang=`, for a year."""
    if viewer.visitor_is_new and response.content_type == "text/html":
        response.set_cookie(
            guard.visitor_cookie,
            viewer.visitor,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=guard.secure,
        )
    for name, chosen in viewer.new_choices():
        response.set_cookie(name, chosen, max_age=YEAR_SECONDS, path="/", samesite="Lax", secure=guard.secure)


async def _read_form(guard: Guard, request: web.Request, viewer: Viewer, file_field: str) -> forms.Form:
    def check_token(given: str) -> None:
        if viewer.visitor_is_new or not guard.site.tokens.is_valid(viewer.visitor, given):
            raise DomainError(ErrorCode.CSRF)

    upload_max = guard.site.settings.now.upload_max_bytes
    with guard.uploads.slot(limit_key(request)) as slot:
        return await forms.read(
            request, check_token, file_field, guard.new_upload, upload_max, slot, is_trusted=viewer.is_bot
        )


_CODES = {
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    405: ErrorCode.METHOD_NOT_ALLOWED,
    413: ErrorCode.BODY_TOO_LARGE,
}


def _aiohttp_error_answer(request: web.Request, error: web.HTTPException) -> web.Response:
    if error.status < 400:
        return error
    response = responses.refused(request, DomainError(_CODES.get(error.status, ErrorCode.BAD_REQUEST)))
    if error.status == 405:
        response.headers["Allow"] = error.headers.get("Allow", "")
    return response
