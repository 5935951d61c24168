"""The administrators' list of members, and what they may do to each."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.features.accounts.moderate import Act
from chatserver.features.accounts.store import Member
from chatserver.http import encode, forms, responses
from chatserver.http.keys import CLOCK, FORM, ROOM, VIEWER
from chatserver.http.page_context import moment
from chatserver.http.viewer import wants_json

PAGE = 50
ID_MAX = 2**63 - 1
# What the page offers for a mute, in seconds: ten minutes, an hour, a day, thirty days.
SPANS = (600, 3600, 86_400, 2_592_000)


async def page(request: web.Request) -> web.Response:
    """`?q=` part of a name; `?after=` the id to go on from. As JSON `{"members": […], "next": id or null}`."""
    look, after = request.query.get("q", ""), _after(request)
    found = await request.app[ROOM].moderation.members(_administrator(request), look, after, PAGE + 1)
    goes_on = found[PAGE - 1].user.id if len(found) > PAGE else None
    if wants_json(request):
        return responses.json({"members": [_json(member) for member in found[:PAGE]], "next": goes_on})
    return responses.page(request, "members.html", {"error": None, **_page(request, found[:PAGE], look, goes_on)})


async def act(request: web.Request) -> web.Response:
    """`act`, one of mute, unmute, ban, unban, promote, demote, and `seconds` for a mute.

    Answers `{"member": {…}}`, or a browser's form 303 to the list.
    """
    typed, seconds = await _asked(request)
    try:
        chosen = Act(typed)
    except ValueError:
        raise DomainError(ErrorCode.BAD_REQUEST, field="act") from None
    # The page's form always sends the span that is chosen in it.
    seconds = seconds if chosen is Act.MUTE else None
    member_id = int(request.match_info["id"])
    member = await request.app[ROOM].moderation.act(_administrator(request), member_id, chosen, seconds)
    if wants_json(request):
        return responses.json({"member": _json(member)})
    return responses.see_other("/members/?" + urlencode({"q": request[FORM].text("q")[:40], "done": chosen}))


async def _asked(request: web.Request) -> tuple[str, int | None]:
    if request.content_type != "application/json":
        return request[FORM].text("act"), request[FORM].number("seconds")
    asked = await forms.read_json(request)
    seconds = asked.get("seconds")
    if not isinstance(asked.get("act"), str) or (seconds is not None and type(seconds) is not int):
        raise DomainError(ErrorCode.BAD_REQUEST)
    return asked["act"], seconds


def _after(request: web.Request) -> int:
    typed = request.query.get("after", "0")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 20 and int(typed) <= ID_MAX):
        raise DomainError(ErrorCode.BAD_REQUEST, field="after")
    return int(typed)


def _json(member: Member) -> dict[str, Any]:
    return {
        **encode.user(member.user),
        "created_ms": member.created_ms,
        "seen_ms": member.seen_ms,
        "muted_until_ms": member.muted_until_ms or None,
        "banned": member.banned,
    }


def _page(request: web.Request, found: list[Member], look: str, goes_on: int | None) -> dict[str, Any]:
    done = request.query.get("done", "")
    notice = request[VIEWER].t(f"page.members.done_{done}") if done in list(Act) else None
    after = urlencode({"q": look, "after": goes_on}) if goes_on else ""
    return {"rows": [_row(request, member) for member in found], "q": look, "more": after, "notice": notice}


def _row(request: web.Request, member: Member) -> dict[str, Any]:
    now_ms = request.app[CLOCK].now_ms()

    is_muted = member.muted_until_ms > now_ms
    return {
        **encode.user(member.user),
        "mine": member.user.id == _administrator(request).id,
        "banned": member.banned,
        "muted_until": moment(request, member.muted_until_ms) if is_muted else "",
        "created": moment(request, member.created_ms),
        "seen": moment(request, member.seen_ms) if member.seen_ms else "",
        "spans": SPANS,
    }


def _administrator(request: web.Request) -> User:
    user = request[VIEWER].user
    assert user is not None  # the route is for administrators
    return user
