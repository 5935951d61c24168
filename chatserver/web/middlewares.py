"""What surrounds every handler, outermost first: who asks, what a "no" looks like, and the guard."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chatserver.refusals import Code, Refusal
from chatserver.web import answers, cookies, csrf, forms, logins
from chatserver.web import viewer as viewers
from chatserver.web.access import Access
from chatserver.web.keys import ACCESS, COOKIES, FORM, GATE, MEDIA, REQUEST_ID, SETTINGS, TOKENS, VIEWER
from chatserver.web.viewer import Viewer

log = logging.getLogger(__name__)

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
FILE_FIELDS = frozenset({"image", "avatar"})


def viewer(secure: bool) -> Middleware:
    """Finds out who asks, and gives browsers the cookie that their CSRF token hangs on."""
    cookie = "__Host-visitor" if secure else "visitor"

    @web.middleware
    async def find(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[COOKIES] = known = cookies.of(request)
        visitor = known.get(cookie, "")[:64]
        visitor = visitor if visitor.isascii() else ""  # not one of ours, and not even text perhaps
        request[VIEWER] = found = Viewer(
            session=None,
            language=viewers.language_of(request, known, request.app[SETTINGS].now.language),
            ui=viewers.ui_of(request, known),
            theme=viewers.theme_of(known),
            address=request.app[GATE].address(request),
            visitor=visitor or csrf.new_visitor(),
            visitor_is_new=not visitor,
        )
        response = await handler(request)
        if not response.prepared:
            if found.visitor_is_new and response.content_type == "text/html":
                response.set_cookie(
                    cookie, found.visitor, max_age=viewers.YEAR_SECONDS, httponly=True, samesite="Lax", secure=secure
                )
            viewers.remember_choices(request, known, response, secure)
        return response

    return find


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turns every "no" into an answer, and a fault of ours into a 500 with an id that the log has too."""
    try:
        return await handler(request)
    except Refusal as refusal:
        response = answers.refused(request, refusal)
        if not request.content.at_eof():
            response.force_close()  # an upload that was refused need not be read to its end
        return response
    except web.HTTPException as error:
        return _refused_by_aiohttp(request, error)
    except ConnectionError:
        return web.Response(status=400)  # the client went away in the middle of its body: nobody will read this
    except Exception:
        error_id = request[REQUEST_ID]
        log.exception("error %s: %s %s", error_id, request.method, request.path)
        return answers.refused(request, Refusal(Code.INTERNAL, id=error_id))


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets through who may: our host, the route's readers, and unsafe requests only from our own pages."""
    access = request.app[ACCESS].get(request.match_info.route)
    if access is Access.OPEN:
        return await handler(request)
    request.app[GATE].check_host(request)
    if access in (None, Access.FILE):  # None: there is no such route, which the handler says
        return await handler(request)
    asker = request[VIEWER]
    asker.session = await logins.current(request)
    access.check(asker.user, request.app[SETTINGS].now.guests)
    if request.method in SAFE_METHODS:
        return await handler(request)
    request.app[GATE].check_origin(request)
    request[FORM] = form = await _read_form(request, asker)
    try:
        return await handler(request)
    finally:
        await forms.close(form)


async def _read_form(request: web.Request, asker: Viewer) -> forms.Form:
    def check_token(given: str) -> None:
        if asker.visitor_is_new or not request.app[TOKENS].are_equal(asker.visitor, given):
            raise Refusal(Code.CSRF)

    return await forms.read(
        request, check_token, FILE_FIELDS, request.app[MEDIA].incoming, request.app[SETTINGS].now.upload_max_bytes
    )


def _refused_by_aiohttp(request: web.Request, error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        raise error
    codes = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED, 413: Code.BODY_TOO_LARGE, 403: Code.FORBIDDEN}
    response = answers.refused(request, Refusal(codes.get(error.status, Code.BAD_REQUEST)))
    if error.status == 405:
        response.headers["Allow"] = error.headers.get("Allow", "")
    return response
