"""Every route, in one list: method, path, handler, and who may use it."""

from __future__ import annotations

from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chatserver.features.accounts import members_page, pages
from chatserver.features.invites import page as invites
from chatserver.features.messages import api, forms, media
from chatserver.features.presence import socket
from chatserver.features.settings import manifest
from chatserver.features.settings import page as settings
from chatserver.features.setup import page as setup
from chatserver.features.status import metrics_endpoint
from chatserver.features.status import page as status
from chatserver.http.access import Access
from chatserver.http.keys import STATIC

_ID = r"{id:[1-9]\d{0,17}}"


async def static(request: web.Request) -> web.Response:
    return request.app[STATIC].respond(request)


async def service_worker(request: web.Request) -> web.Response:
    """At the root, because a worker looks after what lies below its own address; asked for anew each time."""
    return request.app[STATIC].serve(request, "js/sw.js", "no-cache")


async def favicon(request: web.Request) -> web.Response:
    return web.Response(status=301, headers={"Location": request.app[STATIC].url("img/icon.svg")})


ROUTES: tuple[tuple[str, str, Handler, Access], ...] = (
    ("GET", "/", pages.room, Access.READER),
    ("GET", "/ws/chat/", socket.serve, Access.READER),
    ("GET", "/register/", pages.register_page, Access.ANYONE),
    ("POST", "/register/", pages.register, Access.ANYONE),
    ("GET", "/login/", pages.login_page, Access.ANYONE),
    ("POST", "/login/", pages.login, Access.ANYONE),
    ("GET", "/logout/", pages.logout_page, Access.ANYONE),
    ("POST", "/logout/", pages.logout, Access.ANYONE),
    ("GET", "/profile/", pages.profile_page, Access.MEMBER),
    ("POST", "/profile/", pages.profile, Access.MEMBER),
    ("GET", "/setup/", setup.page, Access.ANYONE),
    ("POST", "/setup/", setup.set_up, Access.ANYONE),
    ("GET", "/settings/", settings.page, Access.ADMINISTRATOR),
    ("POST", "/settings/", settings.change, Access.ADMINISTRATOR),
    ("GET", "/members/", members_page.page, Access.ADMINISTRATOR),
    ("POST", f"/members/{_ID}/", members_page.act, Access.ADMINISTRATOR),
    ("GET", "/invites/", invites.page, Access.ADMINISTRATOR),
    ("POST", "/invites/", invites.change, Access.ADMINISTRATOR),
    ("GET", "/status/", status.page, Access.ADMINISTRATOR),
    ("POST", "/post/", forms.post, Access.MEMBER),
    ("POST", f"/recall_message/{_ID}/", forms.recall, Access.MEMBER),
    ("POST", f"/delete_message/{_ID}/", forms.delete, Access.MEMBER),
    ("POST", "/send_preset/", forms.preset, Access.ADMINISTRATOR),
    ("POST", "/send_preset_image/", forms.preset_picture, Access.ADMINISTRATOR),
    ("GET", "/upload_global_background", pages.announcement_page, Access.ADMINISTRATOR),
    ("POST", "/upload_global_background", pages.announcement, Access.ADMINISTRATOR),
    ("GET", "/api/recent_messages/", api.recent, Access.READER),
    ("GET", r"/api/recent_messages_apiint/{count:\d+}", api.recent_some, Access.READER),
    ("GET", "/api/messages/", api.messages, Access.READER),
    ("GET", "/media/{folder}/{name}", media.get, Access.READER),
    ("GET", "/static/{version}/{name:.+}", static, Access.FILE),
    ("GET", "/sw.js", service_worker, Access.FILE),
    ("GET", "/manifest.webmanifest", manifest.get, Access.FILE),
    ("GET", "/favicon.ico", favicon, Access.FILE),
    ("GET", "/healthz", api.healthz, Access.OPEN),
    ("GET", "/readyz", api.readyz, Access.OPEN),
    ("GET", "/metrics", metrics_endpoint.get, Access.OPEN),
)


def add_to(app: web.Application, with_session: Middleware) -> dict[web.AbstractRoute, Access]:
    """Register them all; who may use each. Logins begin and end where anyone may go, so those have a Session."""
    access: dict[web.AbstractRoute, Access] = {}
    for method, path, bare, who in ROUTES:
        handler = partial(with_session, handler=bare) if who is Access.ANYONE else bare
        access[app.router.add_route(method, path, handler)] = who
        if method == "GET" and handler is not socket.serve:
            access[app.router.add_route("HEAD", path, handler)] = who
    return access
