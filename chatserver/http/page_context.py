"""The values that every template may use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from chatserver.http.encode import user_json
from chatserver.http.site import SITE
from chatserver.http.viewer import VIEWER


def for_reader(request: web.Request) -> dict[str, Any]:
    """All values, with the reader's own CSRF token. Also for an error page that comes before the handler is called."""
    return {**shared(request), "csrf_token": request.app[SITE].tokens.for_visitor(request[VIEWER].visitor)}


def shared(request: web.Request) -> dict[str, Any]:
    """The values that are the same for all readers of one kind, without the CSRF token."""
    viewer, site = request[VIEWER], request.app[SITE]
    return {
        "t": viewer.t,
        "static": site.static.url,
        "lang": viewer.language,
        "theme": viewer.theme,
        "ui": viewer.ui,
        "user": user_json(viewer.user) if viewer.user else None,
        "room_name": site.settings.now.room_name,
        "here": request.path,
        "administration": site.administration if viewer.user and viewer.user.is_administrator else (),
        "registration": site.settings.now.registration,
        "push_is_on": site.settings.now.push == "on",
    }


def local_time(request: web.Request, time_ms: int) -> str:
    """A time for a page without scripts, in the room's time zone, to the minute."""
    zone = request.app[SITE].settings.now.timezone
    return datetime.fromtimestamp(time_ms / 1000, zone).strftime("%Y-%m-%d %H:%M")
