"""SettingsService the settings from inside the room: by its administrators, for everybody at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from chatserver.core.clock import Clock
from chatserver.core.config import ROOM_SETTINGS, Setting
from chatserver.core.model import User
from chatserver.db.database import Database
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import permissions
from chatserver.features.settings import store as settings
from chatserver.features.settings.settings import Overrides, Settings, checked
from chatserver.features.settings.store import Change

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listed:
    """One setting as it stands, and what it would be without the administrators' word.

    `last` is who changed it last, None where nobody did.
    """

    setting: Setting
    value: Any
    source: str
    operators_value: Any
    operators_source: str
    last: Change | None


class SettingsService:
    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def load(self) -> None:
        """Put in force what the administrators have set. Before any other rule is asked anything."""
        await self._database.run(self._settings.load)

    async def change(self, actor: User, words: Overrides) -> tuple[str, ...]:
        """Set what was typed for each setting; None or nothing typed: what the operator says.

        All or nothing. Returns the names of those that are not as before. Refuses with `forbidden`,
        and with `bad_request` (`field`) what is not a room setting or cannot be its value.
        """
        checked(words)
        changed = await self._database.run(lambda tx: self._change(tx, actor, words))
        if changed:
            log.info("room settings changed by %s: %s", actor.name, ", ".join(changed))
        return changed

    async def listed(self) -> list[Listed]:
        """Every setting of the room, in the table's order."""
        return await self._database.run(self._listed)

    def _change(self, tx: Transaction, actor: User, words: Overrides) -> tuple[str, ...]:
        actor = permissions.administrator(tx, actor)
        return self._settings.change(tx, actor, words, self._clock.now_ms())

    def _listed(self, tx: Transaction) -> list[Listed]:
        now, operators = self._settings.now, self._settings.operators
        last = settings.last_changes(tx)
        return [
            Listed(
                setting=setting,
                value=getattr(now, name),
                source=self._settings.source(name),
                operators_value=getattr(operators, name),
                operators_source=self._settings.operators_source(name),
                last=last.get(name),
            )
            for name, setting in ROOM_SETTINGS.items()
        ]
