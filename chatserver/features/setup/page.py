"""The first-run page: the first administrator, and what they want of the room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.settings.page import choices, explained
from chatserver.http import encode, login_cookie, responses
from chatserver.http.keys import FORM, ROOM, SETTINGS
from chatserver.http.viewer import wants_json

# What is asked about the room; the rest is on the settings page.
ASKED = ("room_name", "language", "registration", "guests")


async def page(request: web.Request) -> web.Response:
    """Opens with the one-time token alone, and only while there is no administrator."""
    token = request.query.get("token", "")
    if not request.app[ROOM].accounts.is_setup_token(token):
        raise DomainError(ErrorCode.NOT_FOUND)
    return responses.page(request, "setup.html", {"error": None, **_page(request, {"token": token})})


async def set_up(request: web.Request) -> web.Response:
    form = request[FORM]
    words = {name: form.fields[name] for name in ASKED if name in form.fields}
    try:
        user = await request.app[ROOM].accounts.set_up(
            form.text("token"), form.text("username"), form.text("password"), words
        )
    except DomainError as refusal:
        told = explained(request, refusal)
        return responses.refused_form(request, told, "setup.html", _page(request, form.fields, told))
    await login_cookie.begin(request, request.app[ROOM].logins, user)
    return responses.json({"user": encode.user(user)}, 201) if wants_json(request) else responses.see_other("/")


def _page(request: web.Request, typed: Mapping[str, str], refusal: DomainError | None = None) -> dict[str, Any]:
    """The form with what was typed; where nothing was, with what the room is now."""
    now = request.app[SETTINGS].now
    values = {name: typed.get(name, "") for name in ("token", "username")}
    return {
        "values": values | {name: typed.get(name) or str(getattr(now, name)) for name in ASKED},
        "choices": choices(request),
        "wrong": refusal.details.get("field", "") if refusal else "",
    }
