"""What every template may use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from chatserver.http import encode
from chatserver.http.keys import SETTINGS, STATIC, TOKENS, VIEWER


def whole(request: web.Request) -> dict[str, Any]:
    """All of it, as of now: also for a page that says no before the handler's turn has come."""
    viewer = request[VIEWER]
    return {**shared(request), "csrf_token": request.app[TOKENS].of(viewer.visitor)}


def shared(request: web.Request) -> dict[str, Any]:
    """The part that is the same for all readers of one kind: without the token."""
    viewer = request[VIEWER]
    settings = request.app[SETTINGS].now
    static = request.app[STATIC]
    return {
        "t": viewer.t,
        "static": static.url,
        "static_names": static.names,
        "lang": viewer.language,
        "theme": viewer.theme,
        "ui": viewer.ui,
        "user": encode.user(viewer.user) if viewer.user else None,
        "room_name": settings.room_name,
        "registration": settings.registration,
    }


def moment(request: web.Request, time_ms: int) -> str:
    """A time on a page that no script touches: by the room's clock, to the minute."""
    return datetime.fromtimestamp(time_ms / 1000, request.app[SETTINGS].now.timezone).strftime("%Y-%m-%d %H:%M")
