"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatserver.core.logs import escape_unprintable


class Level(StrEnum):
    """Only a problem makes the exit code 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was checked; `advice` says what to do, and is "" if nothing has to be done."""

    level: Level
    check: str
    text: str
    advice: str = ""

    @property
    def is_problem(self) -> bool:
        return self.level is Level.PROBLEM

    def as_json(self) -> dict[str, Any]:
        return {"level": self.level.value, "check": self.check, "text": self.text, "advice": self.advice}


def ok(check: str, text: str) -> Finding:
    return Finding(Level.OK, check, escape_unprintable(text))


def note(check: str, text: str, advice: str = "") -> Finding:
    return Finding(Level.NOTE, check, escape_unprintable(text), escape_unprintable(advice))


def warning(check: str, text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, check, escape_unprintable(text), escape_unprintable(advice))


def problem(check: str, text: str, advice: str) -> Finding:
    return Finding(Level.PROBLEM, check, escape_unprintable(text), escape_unprintable(advice))
