"""Parses the fields that administrators send to `/bots/`, as a form or as a JSON object with the same fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.numbers import ID_MAX, whole_number
from chatserver.features.bots.store import RATE_MAX, BotPermissions
from chatserver.http import confirmation

# Field names; the value of such a field is the id of the bot that the act is for.
ACTS = ("change", "new_token", "end_token", "remove")
FIELDS = {"name", "manages_windows", "rate", *ACTS, confirmation.FIELD}


def act_of(typed: dict[str, Any]) -> str:
    """The act of ACTS that has a value; "make" if there is none."""
    return next((act for act in ACTS if typed.get(act)), "make")


def bot_id(typed: dict[str, Any], act: str) -> int:
    """The id, as a number or as digits. Raises DomainError `bad_request` (`field`)."""
    return _number(typed, act, ID_MAX)


def powers(typed: dict[str, Any], before: BotPermissions) -> BotPermissions:
    """The permissions from `manages_windows` and `rate`; if a field is missing, its value is that of `before`.

    Raises DomainError `bad_request` (`field`).
    """
    found = before
    if "manages_windows" in typed:
        found = replace(found, manages_windows=_is_on(typed, "manages_windows"))
    if typed.get("rate", "") != "":
        found = replace(found, rate=_number(typed, "rate", RATE_MAX))
    return found


def _number(typed: dict[str, Any], name: str, most: int) -> int:
    value = typed[name]
    found = whole_number(str(value), 1, most) if isinstance(value, str | int) else None
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return found


def _is_on(typed: dict[str, Any], name: str) -> bool:
    """Parse true or false of JSON; or "1" (true), "0" or "" (false) of a form."""
    value = typed[name]
    if value not in (True, False, "1", "0", ""):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return value in (True, "1")
