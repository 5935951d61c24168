"""The settings as they are at this moment, for every rule to ask when it acts."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from chatserver.core.config import ROOM_SETTINGS, Choice, Config, Real, Setting, Text, Whole, overridden
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.events import SettingsChanged
from chatserver.core.model import User
from chatserver.db.transaction import Transaction
from chatserver.features.settings import store

log = logging.getLogger(__name__)

# What somebody typed for a setting, by its name; None: as the operator has it.
Overrides = Mapping[str, str | None]


class Settings:
    """Holds the Config in force. Rules keep this object and read `now` each time they need a value.

    `config` is the operator's; `sources` says for each setting whether it is a "flag", a "variable"
    or the "default". The administrators' words stand in the database and win over it.
    """

    def __init__(self, config: Config, sources: Mapping[str, str] | None = None) -> None:
        self.now = config
        self.operators = config
        self._sources = dict(sources or {})
        self._words: Mapping[str, str] = {}

    def source(self, name: str) -> str:
        """Where the value in force comes from: "room", "flag", "variable" or "default"."""
        return "room" if name in self._words else self.operators_source(name)

    def operators_source(self, name: str) -> str:
        return self._sources.get(name, "default")

    def load(self, tx: Transaction) -> None:
        """Put in force what the database holds. What this program cannot use is left out, and logged."""
        found = {name: last.value for name, last in store.last_changes(tx).items() if last.value is not None}
        config, wrong = overridden(self.operators, found)
        for name, why in wrong.items():
            log.warning("stored room setting %s is ignored: %s", name, why)
        self._words = {name: word for name, word in found.items() if name not in wrong}
        self.now = config

    def change(self, tx: Transaction, actor: User, words: Overrides, now_ms: int) -> tuple[str, ...]:
        """Store the words and put them in force; the names of the settings that are not as before.

        Refuses as `checked` does. In force already for the rest of this batch, so that its `trim`
        erases what the new history has no room for; taken back when the batch is.
        """
        changed = {name: word for name, word in checked(words).items() if not self._is_so(name, word)}
        if not changed:
            return ()
        for name, word in changed.items():
            store.put(tx, name, word, now_ms, actor.id)
        before = self._words, self.now
        tx.on_rollback(lambda: self._restore(*before))
        merged = {**self._words, **changed}
        self._words = {name: word for name, word in merged.items() if word is not None}
        self.now, _ = overridden(self.operators, self._words)
        tx.announce(SettingsChanged(self.now))
        return tuple(changed)

    def _is_so(self, name: str, word: str | None) -> bool:
        """True for a word that says what is in force already: then it stays whose it was."""
        if word is None:
            return name not in self._words
        return bool(ROOM_SETTINGS[name].parse(word) == getattr(self.now, name))

    def _restore(self, words: Mapping[str, str], config: Config) -> None:
        self._words, self.now = words, config


def checked(words: Overrides) -> dict[str, str | None]:
    """The words, each one such as its setting can take; an empty one is None.

    Refuses the first that is not with `bad_request`: `field`, and why as `reason` where that is
    known (`text`, `whole`, `number`, with `least` and `most`; `choice`).
    """
    return {name: _checked(name, word) for name, word in words.items()}


def _checked(name: str, word: str | None) -> str | None:
    setting = ROOM_SETTINGS.get(name)
    if setting is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    typed = (word or "").strip()
    if not typed:
        return None
    try:
        setting.parse(typed)
    except ValueError:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name, **_what_it_takes(setting)) from None
    return typed


def _what_it_takes(setting: Setting) -> dict[str, Any]:
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
