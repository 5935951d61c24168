"""The room's page, and the pages of an account: each parses, asks a rule, answers."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.http import encode, login_cookie, page_context, pictures, responses
from chatserver.http.keys import FEED, FORM, ORIGIN, ROOM, ROOM_PAGE, SETTINGS, TOKENS, VIEWER
from chatserver.http.origin import same_origin_navigation
from chatserver.http.page_context import moment
from chatserver.http.viewer import short_agent, wants_json


async def room(request: web.Request) -> web.StreamResponse:
    viewer, token = request[VIEWER], request.app[TOKENS].of(request[VIEWER].visitor)
    read_id = await request.app[ROOM].reacting.read_by(viewer.user) if viewer.user else 0
    body = request.app[ROOM_PAGE].render(
        viewer, token, read_id, request.app[SETTINGS].now, lambda: page_context.shared(request)
    )
    return responses.ready_page(body)


async def register_page(request: web.Request) -> web.Response:
    if request[VIEWER].user:
        return responses.see_other("/")
    return responses.page(
        request, "register.html", {"error": None, "values": {"invite": request.query.get("invite", "")}}
    )


async def register(request: web.Request) -> web.Response:
    form, accounts = request[FORM], request.app[ROOM].accounts
    name, password, invite = form.text("username"), form.text("password"), form.text("invite")
    address = request.app[ORIGIN].address(request)
    try:
        await accounts.check_registration(name, password, invite, address)
        avatar = await _avatar_of_newcomer(request)
        async with pictures.kept_if_used(request, avatar):
            user = await accounts.register(name, password, invite, address, avatar)
    except DomainError as refusal:
        return responses.refused_form(
            request, refusal, "register.html", {"values": {"username": name, "invite": invite}}
        )
    await login_cookie.begin(request, request.app[ROOM].logins, user)
    return _welcome(request, user, 201, "/")


async def _avatar_of_newcomer(request: web.Request) -> str:
    """A picture that is refused counts as a registration: else a guest could keep the workers busy for nothing."""
    try:
        return await pictures.take_avatar(request)
    except DomainError:
        request.app[ROOM].accounts.note_registration(request.app[ORIGIN].address(request))
        raise


async def login_page(request: web.Request) -> web.Response:
    there = _own_path(request.query.get("next", ""))
    if request[VIEWER].user:
        return responses.see_other(there)
    return responses.page(request, "login.html", {"error": None, "values": {}, "next": there})


async def login(request: web.Request) -> web.Response:
    form = request[FORM]
    there = _own_path(form.text("next") or request.query.get("next", ""))
    name, address = form.text("username"), request.app[ORIGIN].address(request)
    try:
        account = await request.app[ROOM].accounts.proved(name, form.text("password"), address)
    except DomainError as refusal:
        return responses.refused_form(request, refusal, "login.html", {"values": {"username": name}, "next": there})
    await login_cookie.begin(request, request.app[ROOM].logins, account.user, account.password)
    return _welcome(request, account.user, 200, there)


async def logout_page(request: web.Request) -> web.Response:
    """A link of our own logs out; a link on another site's page shows a button."""
    if request.method == "GET" and same_origin_navigation(request):
        return await logout(request)
    return responses.page(request, "logout.html", {})


async def logout(request: web.Request) -> web.Response:
    await login_cookie.end(request, request.app[ROOM].logins)
    return responses.json({"ok": True}) if wants_json(request) else responses.see_other("/login/")


async def profile_page(request: web.Request) -> web.Response:
    return responses.page(request, "profile.html", await _profile(request))


async def profile(request: web.Request) -> web.Response:
    """One of three: a new avatar, a new password, or the end of a login."""
    form, viewer, room_ = request[FORM], request[VIEWER], request.app[ROOM]
    session = viewer.session
    assert session is not None  # the route is for members
    try:
        if "avatar" in form.files:
            avatar = await pictures.take_avatar(request)
            async with pictures.kept_if_used(request, avatar):
                user = await room_.accounts.change_avatar(session.user, avatar)
            notice = "avatar"
        elif form.text("new_password") or form.text("old_password"):
            await room_.accounts.change_password(
                session.user, form.text("old_password"), form.text("new_password"), session.id
            )
            user, notice = session.user, "password"
        elif ended := form.number("end_session"):
            await room_.logins.end(session.user, ended)
            user, notice = session.user, "session"
        else:
            raise DomainError(ErrorCode.EMPTY)
    except DomainError as refusal:
        return responses.refused_form(request, refusal, "profile.html", await _profile(request))
    if wants_json(request):
        return responses.json({"user": encode.user(user)})
    return responses.see_other(f"/profile/?done={notice}")


async def announcement_page(request: web.Request) -> web.Response:
    return responses.page(request, "upload_global_background.html", _announcement(request))


async def announcement(request: web.Request) -> web.Response:
    user = request[VIEWER].user
    assert user is not None  # the route is for administrators
    try:
        picture = await pictures.take_picture(request, "announcements")
        if picture is None:
            raise DomainError(ErrorCode.EMPTY)
        async with pictures.kept_if_used(request, picture.image, picture.thumb):
            await request.app[ROOM].showing.announce(user, picture)
    except DomainError as refusal:
        return responses.refused_form(request, refusal, "upload_global_background.html", _announcement(request))
    if wants_json(request):
        return responses.json({"image": encode.media_url(picture.image)})
    return responses.see_other("/")


def _welcome(request: web.Request, user: User, status: int, there: str) -> web.Response:
    return responses.json({"user": encode.user(user)}, status) if wants_json(request) else responses.see_other(there)


def _own_path(typed: str) -> str:
    """`typed` if it is a path of ours, else the room: nobody is sent to another site after logging in."""
    is_ours = typed.startswith("/") and not typed.startswith("//") and "\\" not in typed and typed.isprintable()
    return typed if is_ours and len(typed) < 500 else "/"


async def _profile(request: web.Request) -> dict[str, Any]:
    session = request[VIEWER].session
    assert session is not None

    rows = [
        {
            "id": login_.id,
            "current": login_.id == session.id,
            "agent": short_agent(login_.agent),
            "address": login_.address,
            "created": moment(request, login_.created_ms),
            "seen": moment(request, login_.seen_ms),
        }
        for login_ in await request.app[ROOM].logins.of_user(session.user)
    ]
    done = request.query.get("done", "")
    notice = request[VIEWER].t(f"page.profile_done_{done}") if done in ("avatar", "password", "session") else None
    return {"sessions": rows, "notice": notice, "error": None}


def _announcement(request: web.Request) -> dict[str, Any]:
    return {"announcement": encode.media_url(request.app[FEED].announcement), "error": None}
