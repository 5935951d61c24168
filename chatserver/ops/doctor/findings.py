"""What a check found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chatserver.core.logs import one_line


class Level(StrEnum):
    """Only a problem fails the examination."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """`check` names what was looked at, `advice` what to do; "" where nothing is to be done."""

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
    return Finding(Level.OK, check, one_line(text))


def note(check: str, text: str, advice: str = "") -> Finding:
    return Finding(Level.NOTE, check, one_line(text), one_line(advice))


def warning(check: str, text: str, advice: str) -> Finding:
    return Finding(Level.WARNING, check, one_line(text), one_line(advice))


def problem(check: str, text: str, advice: str) -> Finding:
    return Finding(Level.PROBLEM, check, one_line(text), one_line(advice))
