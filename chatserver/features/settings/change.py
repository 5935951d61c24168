"""Changes settings while the server runs: who may do it, and the administrators' settings page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from chatserver.core.clock import Clock
from chatserver.core.config import Config
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.settings.page import explained, page_values, setting_json
from chatserver.features.settings.settings import ListedSetting, Overrides, Settings, checked
from chatserver.http import confirmation, forms, responses
from chatserver.http.access import Access
from chatserver.http.route import Route
from chatserver.http.viewer import VIEWER, form_of, member_of, wants_json

log = logging.getLogger(__name__)

_NOTICES = ("saved", "reset", "same")


# Returns how many items would be lost if this Config were in force.
WouldErase = Callable[[Transaction, Config], int]
# Returns why settings have no effect: setting's name -> the name of a note on the page (`page.settings.note_…`).
Notes = Callable[[], Mapping[str, str]]


class ChangeSettings:
    """`erasures` counts what a change would remove: "messages", "ledgers", and "guests" (closed connections)."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        erasures: Callable[[], Mapping[str, WouldErase]],
        notes: Notes,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._erasures = erasures
        self._notes = notes

    async def load(self) -> None:
        """Put the stored overrides in force. Call it before any other feature reads a setting."""
        await self._database.run(self._settings.load)

    async def change(self, actor: User, overrides: Overrides) -> tuple[str, ...]:
        """Set the typed value of each setting, all or nothing. Returns the names of the changed settings.

        None or an empty text removes the override, so that the operator's value is in force. Raises DomainError:
        `forbidden`, `banned`, and `bad_request` (`field`) for an unknown setting or an invalid value.
        """
        checked(overrides)
        changed = await self._database.run(lambda tx: self._change(tx, actor, overrides))
        if changed:
            log.info("room settings changed by %s: %s", actor.name, ", ".join(changed))
        return changed

    async def losses(self, actor: User, overrides: Overrides) -> dict[str, int]:
        """What this change would remove: kind -> count, without zeros. Raises DomainError as `change` does."""
        config = self._settings.preview(overrides)
        return await self._database.run(lambda tx: self._losses(tx, actor, config))

    async def listed(self) -> list[ListedSetting]:
        """Every setting that administrators can change, in the table's order."""
        return await self._database.run(self._settings.listed)

    async def get_page(self, request: web.Request) -> web.Response:
        """The form; as JSON `{"settings": […]}`."""
        if wants_json(request):
            return await self._list_answer()
        done = request.query.get("done", "")
        notice = request[VIEWER].t(f"page.settings.done_{done}") if done in _NOTICES else None
        values = page_values(request, await self.listed(), self._notes())
        return responses.page(request, "settings.html", {"error": None, "notice": notice, **values})

    async def on_form(self, request: web.Request) -> web.Response:
        """Fields: a text for each setting, all or nothing. An empty text, or `reset=NAME`, removes an override.

        Answers the list as GET does, or a browser's form with 303 to the page. Raises DomainError
        `bad_request` with the `field`.
        """
        try:
            overrides = await _overrides(request)
            if confirmation.is_needed(request) and (losses := await self.losses(member_of(request), overrides)):
                return _ask(request, losses)
            changed = await self.change(member_of(request), overrides)
        except DomainError as error:
            error = explained(request, error)
            values = page_values(request, await self.listed(), self._notes(), form_of(request).fields, error)
            return responses.refused_form(request, error, "settings.html", {"notice": None, **values})
        if wants_json(request):
            return await self._list_answer()
        done = "reset" if "reset" in form_of(request).fields else "saved"
        return responses.see_other(f"/settings/?done={done if changed else 'same'}")

    async def on_settings_operation(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """The overrides in force, as `words`: setting's name -> text."""
        listed = await self.listed()
        return {"words": {item.setting.name: item.last.value for item in listed if item.last and item.source == "room"}}

    async def _list_answer(self) -> web.Response:
        return responses.as_json({"settings": [setting_json(item) for item in await self.listed()]})

    def _change(self, tx: Transaction, actor: User, overrides: Overrides) -> tuple[str, ...]:
        actor = permissions.require_administrator(tx, actor)
        return self._settings.change(tx, actor, overrides, self._clock.now_ms())

    def _losses(self, tx: Transaction, actor: User, config: Config) -> dict[str, int]:
        permissions.require_administrator(tx, actor)
        losses = {name: would_erase(tx, config) for name, would_erase in self._erasures().items()}
        return {name: count for name, count in losses.items() if count}

    ROUTES = (
        Route("GET", "/settings/", get_page, Access.ADMINISTRATOR, title="page.settings.title"),
        Route("POST", "/settings/", on_form, Access.ADMINISTRATOR),
    )
    OPERATIONS = {"settings": on_settings_operation}


def _ask(request: web.Request, losses: Mapping[str, int]) -> web.Response:
    t = request[VIEWER].t
    facts = [t(f"page.settings.erases_{name}", count=count) for name, count in losses.items()]
    submit = t("page.settings.save") if losses.keys() == {"guests"} else t("page.settings.erase")
    return confirmation.ask(request, t("page.settings.ask"), facts, submit, "/settings/")


async def _overrides(request: web.Request) -> Overrides:
    if request.content_type == "application/json":
        return _overrides_of_json(await forms.read_json(request))
    fields = {
        name: typed for name, typed in form_of(request).fields.items() if name not in ("csrf_token", confirmation.FIELD)
    }
    reset = fields.pop("reset", None)
    if reset is not None:
        return {reset: None}
    before = _before(fields.pop("before", "{}"))
    # Ignore a field that was not changed in the form, because another administrator may have changed
    # that setting since the form was made.
    return {name: typed for name, typed in fields.items() if before.get(name) != typed}


def _overrides_of_json(fields: Mapping[str, Any]) -> Overrides:
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return {name: None if value is None else str(value) for name, value in fields.items()}


def _before(typed: str) -> dict[str, Any]:
    """Parse the JSON object with the fields' values at the time the form was made. Raises DomainError `bad_request`."""
    try:
        before = json.loads(typed)
    except (ValueError, RecursionError):
        before = None
    if not isinstance(before, dict):
        raise DomainError(ErrorCode.BAD_REQUEST, field="before")
    return before
