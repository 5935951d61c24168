"""What surrounds every handler: who asks, whether they may, and what a "no" looks like."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.http import cookies, forms, login_cookie, request_id, responses
from chatserver.http.access import Access
from chatserver.http.keys import ACCESS, COOKIES, FORM, MEDIA, ORIGIN, REQUEST_ID, SETTINGS, TOKENS, VIEWER
from chatserver.http.viewer import Viewer

log = logging.getLogger(__name__)

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
YEAR_SECONDS = 31_536_000
FILE_FIELDS = frozenset({"image", "avatar"})


def answering(secure: bool) -> Middleware:
    """Finds out who asks, asks the guard and then the handler, and turns every "no" into an answer.

    One middleware rather than four: each costs every request 2 µs.
    """
    visitor_cookie = "__Host-visitor" if secure else "visitor"

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = request_id.begin(request)
        viewer = _look(request, visitor_cookie)
        try:
            response = await _guarded(request, viewer, handler)
        except Exception as error:
            response = _no(request, error)
            error.__traceback__ = None  # it leads to the request, which may lead back to the error
        if not response.prepared:
            _set_cookies(response, viewer, visitor_cookie, secure)
        request_id.end(request, response.status, begun)
        return response

    return answer


def _no(request: web.Request, error: Exception) -> web.Response:
    """A refusal in the reader's words; of a fault of ours an id, which the log has too, and nothing else."""
    if isinstance(error, DomainError):
        response = responses.refused(request, error)
        if not request.content.at_eof():
            response.force_close()  # an upload that was refused need not be read to its end
        return response
    if isinstance(error, web.HTTPException):
        return _refused_by_aiohttp(request, error)
    if isinstance(error, ConnectionError):
        return web.Response(status=400)  # the client went away in the middle of its body: nobody will read this
    error_id = request[REQUEST_ID]
    log.error("unhandled error %s: %s %s", error_id, request.method, request.path, exc_info=error)
    return responses.refused(request, DomainError(ErrorCode.INTERNAL, id=error_id))


def _look(request: web.Request, visitor_cookie: str) -> Viewer:
    request[COOKIES] = known = cookies.of(request)
    visitor = known.get(visitor_cookie, "")[:64]
    request[VIEWER] = viewer = Viewer(
        request,
        known,
        request.app[SETTINGS].now.language,
        visitor if visitor.isascii() else None,  # else not one of ours, and not even text perhaps
    )
    return viewer


async def _guarded(request: web.Request, viewer: Viewer, handler: Handler) -> web.StreamResponse:
    """Lets through who may: our host, the route's readers, and unsafe requests only from our own pages."""
    access = request.app[ACCESS].get(request.match_info.route)
    if access is Access.OPEN:
        return await handler(request)
    request.app[ORIGIN].check_host(request)
    if access in (None, Access.FILE):  # None: there is no such route, which the handler says
        return await handler(request)
    viewer.session = await login_cookie.find(request)
    access.check(viewer.user, request.app[SETTINGS].now.guests)
    if request.method in SAFE_METHODS:
        return await handler(request)
    request.app[ORIGIN].check_origin(request)
    request[FORM] = form = await _read_form(request, viewer)
    try:
        return await handler(request)
    finally:
        await forms.close(form)


def _set_cookies(response: web.StreamResponse, viewer: Viewer, visitor_cookie: str, secure: bool) -> None:
    """Browsers get the cookie that their CSRF token hangs on, and keep for a year what they chose."""
    if viewer.visitor_is_new and response.content_type == "text/html":
        response.set_cookie(
            visitor_cookie, viewer.visitor, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
        )
    for name, chosen in viewer.new_choices():
        response.set_cookie(name, chosen, max_age=YEAR_SECONDS, path="/", samesite="Lax", secure=secure)


async def _read_form(request: web.Request, asker: Viewer) -> forms.Form:
    def check_token(given: str) -> None:
        if asker.visitor_is_new or not request.app[TOKENS].are_equal(asker.visitor, given):
            raise DomainError(ErrorCode.CSRF)

    return await forms.read(
        request, check_token, FILE_FIELDS, request.app[MEDIA].incoming, request.app[SETTINGS].now.upload_max_bytes
    )


def _refused_by_aiohttp(request: web.Request, error: web.HTTPException) -> web.Response:
    if error.status < 400:
        return error
    codes = {
        404: ErrorCode.NOT_FOUND,
        405: ErrorCode.METHOD_NOT_ALLOWED,
        413: ErrorCode.BODY_TOO_LARGE,
        403: ErrorCode.FORBIDDEN,
    }
    response = responses.refused(request, DomainError(codes.get(error.status, ErrorCode.BAD_REQUEST)))
    if error.status == 405:
        response.headers["Allow"] = error.headers.get("Allow", "")
    return response
