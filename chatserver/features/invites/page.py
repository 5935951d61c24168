"""The administrators' page of invitations: make one, see which still work, withdraw one."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.features.invites.invites import HOURS_MAX, USES_MAX, Invite
from chatserver.features.invites.store import OpenInvite
from chatserver.http import forms, responses
from chatserver.http.keys import FORM, ORIGIN, ROOM, SETTINGS, VIEWER
from chatserver.http.page_context import moment
from chatserver.http.viewer import wants_json

# What the page offers, in hours: a day, three days, a week, thirty days.
SPANS = (24, 72, 168, 720)
HOURS = 168
_NAMES = {"uses", "hours", "withdraw"}


async def page(request: web.Request) -> web.Response:
    """The invitations that still let somebody in; as JSON `{"invites": […]}`. Their codes are kept nowhere."""
    if wants_json(request):
        return await _list(request)
    is_withdrawn = request.query.get("done") == "withdrawn"
    notice = request[VIEWER].t("page.invites.done_withdrawn") if is_withdrawn else None
    return responses.page(request, "invites.html", {"error": None, "notice": notice, **await _page(request, {})})


async def change(request: web.Request) -> web.Response:
    """Makes one, of `uses` (1) and `hours` (168); or with `withdraw`, an invitation's id, takes one back.

    A new one is answered with 201 and its address, which is told this once. Refuses with
    `bad_request` and the `field`, and with `not_found` what is no longer open.
    """
    typed: dict[str, Any] = {}
    try:
        typed = await _typed(request)
        if typed.get("withdraw"):
            return await _withdraw(request, str(typed["withdraw"]))
        return await _make(request, typed)
    except DomainError as refusal:
        told = _explained(request, refusal)
        wrong = told.details.get("field", "")
        values = {"notice": None, **await _page(request, typed, wrong=wrong)}
        return responses.refused_form(request, told, "invites.html", values)


async def _make(request: web.Request, typed: dict[str, Any]) -> web.Response:
    uses, hours = _number(typed, "uses", 1), _number(typed, "hours", HOURS)
    if not uses.is_integer():
        raise DomainError(ErrorCode.BAD_REQUEST, field="uses")
    made = await request.app[ROOM].invites.create(int(uses), hours, _administrator(request))
    address = f"{request.app[ORIGIN].origin(request)}/register/?invite={made.code}"
    if wants_json(request):
        return responses.json({"invite": {**_json(made.opened), "address": address}}, 201)
    # Shown in the answer itself: nothing remembers the address, so there is no page to be sent on to.
    values = {"error": None, "notice": None, **await _page(request, {}, made, address)}
    return responses.page(request, "invites.html", values, 201)


async def _withdraw(request: web.Request, invite_id: str) -> web.Response:
    await request.app[ROOM].invites.withdraw(_administrator(request), invite_id)
    return await _list(request) if wants_json(request) else responses.see_other("/invites/?done=withdrawn")


async def _typed(request: web.Request) -> dict[str, Any]:
    is_json = request.content_type == "application/json"
    typed: dict[str, Any] = await forms.read_json(request) if is_json else dict(request[FORM].fields)
    typed.pop("csrf_token", None)
    for name in typed.keys() - _NAMES:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return typed


def _number(typed: dict[str, Any], name: str, default: float) -> float:
    value = typed.get(name, "")
    if value in ("", None):
        return float(default)
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        return float(value)
    except (ValueError, OverflowError):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name) from None


def _explained(request: web.Request, refusal: DomainError) -> DomainError:
    """The same; one of a number also says which, and from where to where it may go."""
    name = refusal.details.get("field")
    if refusal.code is not ErrorCode.BAD_REQUEST or name not in ("uses", "hours"):
        return refusal
    label = request[VIEWER].t(f"page.invites.{name}")
    if name == "uses":
        return DomainError(refusal.code, field=name, label=label, reason="whole", least=1, most=USES_MAX)
    return DomainError(refusal.code, field=name, label=label, reason="number", least=0.01, most=int(HOURS_MAX))


async def _list(request: web.Request) -> web.Response:
    opened = await request.app[ROOM].invites.opened(_administrator(request))
    return responses.json({"invites": [_json(invite) for invite in opened]})


def _json(invite: OpenInvite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "uses_left": invite.uses_left,
        "created_ms": invite.created_ms,
        "expires_ms": invite.expires_ms,
        "made_by": invite.made_by or None,
    }


async def _page(
    request: web.Request, typed: dict[str, Any], made: Invite | None = None, address: str = "", wrong: str = ""
) -> dict[str, Any]:
    opened = await request.app[ROOM].invites.opened(_administrator(request))
    return {
        "rows": [_row(request, invite) for invite in opened],
        "values": {"uses": typed.get("uses", 1), "hours": str(typed.get("hours", HOURS))},
        "spans": SPANS,
        "wrong": wrong,
        "address": address,
        "made": _row(request, made.opened) if made else None,
        "registration": request.app[SETTINGS].now.registration,
    }


def _row(request: web.Request, invite: OpenInvite) -> dict[str, Any]:
    return {
        "id": invite.id,
        "uses": invite.uses_left,
        "by": invite.made_by,
        "created": moment(request, invite.created_ms),
        "expires": moment(request, invite.expires_ms),
    }


def _administrator(request: web.Request) -> User:
    user = request[VIEWER].user
    assert user is not None  # the route is for administrators
    return user
