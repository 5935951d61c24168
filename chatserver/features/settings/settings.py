"""The settings in force, which features read when they act. Administrators' overrides replace the operator's values."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatserver.core import json
from chatserver.core.config import LIMITS, ROOM_SETTINGS, Config, Setting, overridden
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import Event
from chatserver.core.model import User
from chatserver.core.setting_values import Choice, Real, Text, Whole
from chatserver.db.transaction import Transaction
from chatserver.features.audit.record import AuditAct, record
from chatserver.features.settings import store

log = logging.getLogger(__name__)

# Setting's name -> the typed text. None, or only white space, means the operator's value.
Overrides = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class SettingsChanged(Event):
    """Announces that `config` is in force now. Frame `limits`."""

    config: Config

    def frame(self) -> bytes:
        return json.dumps({"type": "limits", "limits": limits(self.config), "room_name": self.config.room_name})


@dataclass(frozen=True, slots=True)
class ListedSetting:
    """One setting with its present value, and the operator's value, which is in force without an override.

    A source is "room" (an override), "flag", "variable" or "default". `last` is None for a setting that no
    administrator has changed.
    """

    setting: Setting
    value: Any
    source: str
    operators_value: Any
    operators_source: str
    last: store.Change | None


class Settings:
    """Holds the Config in force. Features keep this object and read `now` each time they need a value.

    `config` has the operator's values; `sources` gives the source of each value: "flag", "variable" or
    "default".
    """

    def __init__(self, config: Config, sources: Mapping[str, str] | None = None) -> None:
        self.now = config
        self.operators = config
        self._sources = dict(sources or {})
        self._overrides: Mapping[str, str] = {}
        # The cached limits of the last Config, because each page and each `hello` contains them.
        self._limits_of: Config | None = None
        self._limits: dict[str, Any] = {}

    def source(self, name: str) -> str:
        """Where the value in force comes from: "room", "flag", "variable" or "default"."""
        return "room" if name in self._overrides else self._operators_source(name)

    def hello_fields(self) -> dict[str, Any]:
        """Fields of `hello` and of the page."""
        if self._limits_of is not self.now:
            self._limits_of, self._limits = self.now, limits(self.now)
        return {"limits": self._limits}

    def listed(self, tx: Transaction) -> list[ListedSetting]:
        """Every setting that administrators can change, in the table's order."""
        last = store.last_changes(tx)
        return [
            ListedSetting(
                setting=setting,
                value=getattr(self.now, name),
                source=self.source(name),
                operators_value=getattr(self.operators, name),
                operators_source=self._operators_source(name),
                last=last.get(name),
            )
            for name, setting in ROOM_SETTINGS.items()
        ]

    def load(self, tx: Transaction) -> None:
        """Put the stored overrides in force. Overrides that this version cannot use are ignored and logged."""
        stored = {name: last.value for name, last in store.last_changes(tx).items() if last.value is not None}
        config, invalid = overridden(self.operators, stored)
        for name, reason in invalid.items():
            log.warning("stored room setting %s is ignored: %s", name, reason)
        self._overrides = {name: text for name, text in stored.items() if name not in invalid}
        self.now = config

    def preview(self, overrides: Overrides) -> Config:
        """The Config that would be in force with these overrides. Raises DomainError as `checked` does."""
        merged = {**self._overrides, **checked(overrides)}
        config, _ = overridden(self.operators, {name: text for name, text in merged.items() if text is not None})
        return config

    def change(self, tx: Transaction, actor: User, overrides: Overrides, now_ms: int) -> tuple[str, ...]:
        """Store the overrides and put them in force. Returns the names of the changed settings.

        Raises DomainError as `checked` does. The new values are already in force for the rest of this batch, so
        that its `trim` erases messages beyond a shorter history. A rollback restores the old values.
        """
        changed = {name: text for name, text in checked(overrides).items() if not self._is_in_force(name, text)}
        if not changed:
            return ()
        for name, text in changed.items():
            store.put(tx, name, text, now_ms, actor.id)
        before = self._overrides, self.now
        tx.on_rollback(lambda: self._restore(*before))
        merged = {**self._overrides, **changed}
        self._overrides = {name: text for name, text in merged.items() if text is not None}
        self.now, _ = overridden(self.operators, self._overrides)
        for name in changed:
            was, is_now = (str(getattr(config, name)) for config in (before[1], self.now))
            record(tx, now_ms, AuditAct.SETTING_CHANGE, actor, setting=name, before=was, after=is_now)
        tx.announce(SettingsChanged(self.now))
        return tuple(changed)

    def _operators_source(self, name: str) -> str:
        return self._sources.get(name, "default")

    def _is_in_force(self, name: str, text: str | None) -> bool:
        """True if the text means the value in force; the setting then keeps its source."""
        if text is None:
            return name not in self._overrides
        return bool(ROOM_SETTINGS[name].parse(text) == getattr(self.now, name))

    def _restore(self, overrides: Mapping[str, str], config: Config) -> None:
        self._overrides, self.now = overrides, config


def limits(config: Config) -> dict[str, Any]:
    """The settings that the page's scripts need."""
    return {name: getattr(config, name) for name in LIMITS}


def checked(overrides: Overrides) -> dict[str, str | None]:
    """The overrides without white space at their ends; an empty override becomes None.

    Raises DomainError `bad_request` for the first invalid override, with `field`, and for an invalid value with
    `reason`: `text`, `whole` or `number` (with `least` and `most`), or `choice`.
    """
    return {name: _checked(name, text) for name, text in overrides.items()}


def _checked(name: str, text: str | None) -> str | None:
    setting = ROOM_SETTINGS.get(name)
    if setting is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    typed = (text or "").strip()
    if not typed:
        return None
    try:
        setting.parse(typed)
    except ValueError:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name, **_accepted_values(setting)) from None
    return typed


def _accepted_values(setting: Setting) -> dict[str, Any]:
    match setting.parse:
        case Text(least, most):
            return {"reason": "text", "least": least, "most": most}
        case Whole(least, most):
            return {"reason": "whole", "least": least, "most": most}
        case Real(least, most):
            return {"reason": "number", "least": least, "most": most}
        case Choice():
            return {"reason": "choice"}
    return {}
