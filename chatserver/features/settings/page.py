"""The settings page: what the room's administrators may change, what it is now, and whose word that is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from chatserver.core.config import ROOM_SETTINGS, Choice, Real, Whole, shown
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.features.settings.change import Listed
from chatserver.features.settings.settings import Overrides
from chatserver.http import forms, responses
from chatserver.http.keys import FORM, ROOM, VIEWER
from chatserver.http.page_context import moment
from chatserver.http.viewer import wants_json

# The page's parts, and the settings in each.
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("room", ("room_name", "language")),
    ("members", ("registration", "guests", "registrations_per_hour")),
    ("messages", ("send_interval", "recall_seconds", "text_max", "window_seconds")),
    ("history", ("history_hours", "history_limit")),
    ("pictures", ("image_max_kb", "upload_max_mb")),
)
# Said after the number.
UNITS = {
    "registrations_per_hour": "people",
    "send_interval": "seconds",
    "recall_seconds": "seconds",
    "text_max": "characters",
    "window_seconds": "seconds",
    "history_hours": "hours",
    "history_limit": "messages",
    "image_max_kb": "kb",
    "upload_max_mb": "mb",
}
_NOTICES = ("saved", "reset", "same")


async def page(request: web.Request) -> web.Response:
    if wants_json(request):
        return await _list(request)
    done = request.query.get("done", "")
    notice = request[VIEWER].t(f"page.settings.done_{done}") if done in _NOTICES else None
    return responses.page(request, "settings.html", {"error": None, "notice": notice, **await _page(request)})


async def change(request: web.Request) -> web.Response:
    """What was typed for each setting; nothing typed, or `reset=NAME`, gives one back to the operator.

    Answers 303 to the page, or the list as GET gives it. All or nothing: `bad_request` names the `field`.
    """
    try:
        words = await _words(request)
        changed = await request.app[ROOM].changing.change(_administrator(request), words)
    except DomainError as refusal:
        told = explained(request, refusal)
        values = {"notice": None, **await _page(request, request[FORM].fields, told)}
        return responses.refused_form(request, told, "settings.html", values)
    if wants_json(request):
        return await _list(request)
    is_reset = "reset" in request[FORM].fields
    return responses.see_other(f"/settings/?done={('reset' if is_reset else 'saved') if changed else 'same'}")


def explained(request: web.Request, refusal: DomainError) -> DomainError:
    """The same; one of a setting's value also says, for its sentence, which setting that is."""
    name = refusal.details.get("field")
    if refusal.code is not ErrorCode.BAD_REQUEST or name not in ROOM_SETTINGS:
        return refusal
    return DomainError(refusal.code, **refusal.details, label=request[VIEWER].t(f"page.settings.{name}"))


def choices(request: web.Request) -> dict[str, list[tuple[str, str]]]:
    """The settings that are a choice: what there is to choose, and how it is called."""
    t = request[VIEWER].t
    return {
        name: [(word, t(f"page.settings.{name}_{word}")) for word in setting.parse.words]
        for name, setting in ROOM_SETTINGS.items()
        if isinstance(setting.parse, Choice)
    }


async def _words(request: web.Request) -> Overrides:
    if request.content_type == "application/json":
        return _of_json(await forms.read_json(request))
    fields = {name: typed for name, typed in request[FORM].fields.items() if name != "csrf_token"}
    reset = fields.pop("reset", None)
    if reset is not None:
        return {reset: None}
    before = _before(fields.pop("before", "{}"))
    # What stands in the form as it did when it was made is not a word: somebody else may have changed it since.
    return {name: typed for name, typed in fields.items() if before.get(name) != typed}


def _of_json(typed: Mapping[str, Any]) -> Overrides:
    for name, value in typed.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return {name: None if value is None else str(value) for name, value in typed.items()}


def _before(typed: str) -> dict[str, Any]:
    try:
        before = json.loads(typed)
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict):
        raise DomainError(ErrorCode.BAD_REQUEST, field="before")
    return before


async def _list(request: web.Request) -> web.Response:
    listed = await request.app[ROOM].changing.listed()
    return responses.json({"settings": [_json(item) for item in listed]})


def _json(item: Listed) -> dict[str, Any]:
    """A setting as `settings --json` shows it, and what it would be without the room's own word."""
    setting = item.setting
    return {
        "name": setting.name,
        "value": item.value,
        "source": item.source,
        "default": setting.parse(setting.default),
        "operator": {"value": item.operators_value, "source": item.operators_source},
        "changed_by": item.last.by if item.last else None,
        "changed_ms": item.last.changed_ms if item.last else None,
        "help": setting.help,
    }


async def _page(
    request: web.Request, typed: Mapping[str, str] | None = None, refusal: DomainError | None = None
) -> dict[str, Any]:
    """The page's rows, part by part. `typed` stands where something was; a refusal marks its row."""
    listed = {item.setting.name: item for item in await request.app[ROOM].changing.listed()}
    wrong = refusal.details.get("field", "") if refusal else ""
    parts = [(part, [_row(request, listed[name], typed or {}, wrong) for name in names]) for part, names in PARTS]
    return {
        "parts": parts,
        "choices": choices(request),
        "before": json.dumps({name: shown(item.value) for name, item in listed.items()}, ensure_ascii=False),
    }


def _row(request: web.Request, item: Listed, typed: Mapping[str, str], wrong: str) -> dict[str, Any]:
    name, parse = item.setting.name, item.setting.parse
    last = item.last
    return {
        "name": name,
        "kind": "choice" if isinstance(parse, Choice) else "number" if isinstance(parse, Whole | Real) else "text",
        "whole": isinstance(parse, Whole),
        "unit": UNITS.get(name, ""),
        "value": typed.get(name, shown(item.value)),
        "wrong": name == wrong,
        "source": item.source,
        "otherwise": shown(item.operators_value),
        "otherwise_source": item.operators_source,
        "by": last.by if last else "",
        "at": moment(request, last.changed_ms) if last else "",
    }


def _administrator(request: web.Request) -> User:
    user = request[VIEWER].user
    assert user is not None  # the route is for administrators
    return user
