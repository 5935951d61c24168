"""The administrators' page of planned windows, also as JSON. The page works without JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from chatserver.core.config import CurrentConfig
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.ordering import answers, item_lines, store, template_store
from chatserver.features.planning.planned import PlannedWindows
from chatserver.http import forms, responses
from chatserver.http.access import Access
from chatserver.http.page_context import local_time
from chatserver.http.route import Route
from chatserver.http.viewer import VIEWER, form_of, member_of, wants_html

_ACTS = ("make", "change", "remove", "skip")
# How many of the newest windows the page offers to plan again.
WINDOWS_OFFERED = 5
_TEXTS = ("act", "id", "repeat", "at", "date", "title", "note", "template", "window", "opens_ms")
_VALUES = ("items", "weekdays", "seconds")
_MINUTES = re.compile(r"[0-9]{1,4}(?:[.,][0-9]{1,2})?", re.ASCII)
_FROM = re.compile(r"(template|window)-([0-9]+)", re.ASCII)

# The fields of the form of a new plan.
_NEW: Mapping[str, Any] = {
    "act": "make", "id": "", "repeat": "daily", "weekdays": [], "date": "", "at": "", "from": "", "title": "",
    "note": "", "minutes": "", "item_lines": "",
}  # fmt: skip


class PlanPage:
    def __init__(self, database: Database, settings: CurrentConfig, planned: PlannedWindows) -> None:
        self._database = database
        self._settings = settings
        self._planned = planned

    async def get(self, request: web.Request) -> web.Response:
        """Answer `{"plans": […], "zone"}`, or the page to a browser. With `?change=ID` the form shows that plan."""
        if not wants_html(request):
            return responses.as_json({"plans": await self._planned.listed(), "zone": self._zone})
        done = request.query.get("done", "")
        notice = request[VIEWER].t(f"page.plans.done_{done}") if done in _ACTS else None
        plans = await self._planned.listed()
        changed = next((plan for plan in plans if str(plan["id"]) == request.query.get("change")), None)
        values = {**await self._page(request, plans), "form": _form_of_plan(changed), "notice": notice}
        return responses.page(request, "plans.html", values)

    async def on_form(self, request: web.Request) -> web.Response:
        """`act`: `make`, `change`, `remove` or `skip`; as JSON, or as a form.

        Answers `{"plan": …}`, with 201 for a new plan. A browser's form gets 303 to the page, or the page with the
        error.
        """
        typed: dict[str, str] = {}
        try:
            if request.content_type == "application/json":
                fields = await forms.read_json(request)
            else:
                typed = dict(form_of(request).fields)
                fields = _fields(typed)
            plan = await self._act(request, fields)
        except DomainError as error:
            if not wants_html(request) or not typed:
                raise
            values = {**await self._page(request, await self._planned.listed()), "form": _form_again(typed)}
            values |= {"wrong": error.details.get("field", ""), "row": _line_number(typed, error)}
            return responses.refused_form(request, error, "plans.html", values)
        if wants_html(request):
            return responses.see_other(f"/orders/plans/?done={fields['act']}")
        return responses.as_json({"plan": plan}, 201 if fields["act"] == "make" else 200)

    async def _act(self, request: web.Request, fields: dict[str, Any]) -> dict[str, Any]:
        actor, act = member_of(request), fields.get("act")
        if act == "make":
            return await self._planned.make(actor, fields)
        plan_id = answers.optional_id(fields, "id")
        if act not in _ACTS or plan_id is None:
            raise DomainError(ErrorCode.BAD_REQUEST, field="id" if act in _ACTS else "act")
        if act == "change":
            return await self._planned.change(actor, plan_id, fields)
        if act == "remove":
            return await self._planned.remove(actor, plan_id)
        return await self._planned.skip(actor, plan_id, answers.optional_id(fields, "opens_ms"))

    async def _page(self, request: web.Request, plans: list[dict[str, Any]]) -> dict[str, Any]:
        templates, windows = await self._database.run(_offered)
        return {
            "error": None,
            "notice": None,
            "wrong": "",
            "row": None,
            "rows": [_row(request, plan) for plan in plans],
            "templates": templates,
            "windows": [(window.id, window.title, local_time(request, window.opened_ms)) for window in windows],
            "zone": self._zone,
        }

    @property
    def _zone(self) -> str:
        return self._settings.now.timezone.key

    ROUTES = (
        Route("GET", "/orders/plans/", get, Access.ADMINISTRATOR, title="page.plans.title"),
        Route("POST", "/orders/plans/", on_form, Access.ADMINISTRATOR),
    )


def _offered(tx: Transaction) -> tuple[list[dict[str, Any]], list[store.WindowRow]]:
    """What a plan can open: the templates, and the newest windows with items."""
    windows = [window for window in store.windows(tx)[:WINDOWS_OFFERED] if store.items(tx, window.id)]
    return template_store.listed(tx), windows


def _row(request: web.Request, plan: dict[str, Any]) -> dict[str, Any]:
    """`next` and `last` are local times of the room."""
    return {
        **plan,
        "next": _with_weekday(request, plan["opens_ms"]) if plan["opens_ms"] else "",
        "last": {**plan["last"], "at": local_time(request, plan["last"]["opens_ms"])} if plan["last"] else None,
    }


def _with_weekday(request: web.Request, time_ms: int) -> str:
    text = local_time(request, time_ms)
    weekday = datetime.fromisoformat(text).isoweekday()
    return f"{request[VIEWER].t(f'page.plans.weekday_{weekday}')} {text}"


def _form_of_plan(plan: dict[str, Any] | None) -> dict[str, Any]:
    """The fields of the form, for a new plan or to change this plan."""
    if plan is None:
        return dict(_NEW)
    seconds, template_id = plan["seconds"], plan["template"]
    own = {"title": plan["title"], "note": plan["note"], "item_lines": item_lines.as_text(plan["items"])}
    return {
        **_NEW,
        **{name: plan[name] for name in ("id", "repeat", "at", "weekdays")},
        **({} if template_id else own),
        "act": "change",
        "date": plan["date"] or "",
        "from": f"template-{template_id}" if template_id else "",
        "minutes": f"{seconds / 60:.2f}".rstrip("0").rstrip(".") if seconds else "",
    }


def _form_again(typed: Mapping[str, str]) -> dict[str, Any]:
    """The typed fields, to show again after a refusal. After a button beside a plan, the form is empty."""
    if typed.get("act") not in ("make", "change"):
        return dict(_NEW)
    return {**_NEW, **typed, "weekdays": _chosen_days(typed)}


def _line_number(typed: Mapping[str, str], error: DomainError) -> int | None:
    """The line of `item_lines` that is wrong, counted from 1."""
    row = error.details.get("row")
    return item_lines.line_number(typed["item_lines"], row) if row and typed.get("item_lines") else None


def _fields(form: Mapping[str, str]) -> dict[str, Any]:
    """Convert the fields of a form to those of JSON. Raises DomainError `bad_request` (`field`).

    Only a form has `weekday-1` to `weekday-7`, `minutes`, `item_lines`, and `from` ("", `template-ID`, `window-ID`).
    """
    fields: dict[str, Any] = {name: form[name] for name in _TEXTS if name in form}
    for name in _VALUES:
        if form.get(name):
            fields[name] = _value(form, name)
    if form.get("repeat") == "weekly" and "weekdays" not in fields:
        fields["weekdays"] = _chosen_days(form)
    if "minutes" in form:
        fields["seconds"] = _seconds(form["minutes"].strip())
    if typed := form.get("item_lines", ""):
        fields["items"] = item_lines.parse(typed)
    return _begun_with(fields, form["from"]) if "from" in form else fields


def _value(form: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(form[name])
    except (ValueError, RecursionError):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name) from None


def _chosen_days(form: Mapping[str, str]) -> list[int]:
    return [day for day in range(1, 8) if f"weekday-{day}" in form]


def _seconds(minutes: str) -> int | None:
    if not minutes:
        return None
    if not _MINUTES.fullmatch(minutes):
        raise DomainError(ErrorCode.BAD_REQUEST, field="seconds", reason="seconds")
    return round(float(minutes.replace(",", ".")) * 60)


def _begun_with(fields: dict[str, Any], begin: str) -> dict[str, Any]:
    """Add the template or the window that `begin`, the form's field `from`, names."""
    if not begin:
        return {"items": [], **fields, "template": None}
    found = _FROM.fullmatch(begin)
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="from")
    if fields.get("items"):
        raise DomainError(ErrorCode.BAD_REQUEST, field="items", reason="plan_items")
    # An empty title or note is taken from the template or the window.
    rest = {name: value for name, value in fields.items() if name not in ("title", "note") or value}
    return {**rest, found[1]: found[2]}
