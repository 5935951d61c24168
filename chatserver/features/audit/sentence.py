"""Describes an entry of the audit log as a sentence in the reader's language."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatserver.features.audit.record import AuditAct
from chatserver.features.audit.store import Entry
from chatserver.http.page_context import local_time
from chatserver.http.viewer import VIEWER


def sentence(request: web.Request, entry: Entry) -> str:
    """A sentence with the act and the affected member. For an unknown act, only the act's name.

    An act is unknown if it was recorded by a later version of the program.
    """
    if entry.act not in list(AuditAct):
        return entry.act
    t, details = request[VIEWER].t, entry.details
    values: dict[str, Any] = {name: _shown(request, name, value) for name, value in details.items()}
    if entry.act == AuditAct.SETTING_CHANGE:
        values["setting"] = t(f"page.settings.{details['setting']}")
    if entry.act == AuditAct.BOT_CHANGE:
        values["powers"] = t(f"page.bots.powers_{int(details['manages_windows'])}")
    if entry.act == AuditAct.PLAN_FAIL:
        values["outcome"] = t(f"page.plans.outcome_{details['outcome']}")
    if entry.user:
        values["user"] = entry.user.name
    return t(f"page.audit.{entry.act.replace('.', '_')}", **values)


def _shown(request: web.Request, name: str, value: Any) -> Any:
    """Format a time in the room's time zone; return any other value unchanged."""
    return local_time(request, value) if name.endswith("_ms") else value
