"""Formats the settings for pages and as JSON. The setup page uses the same texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from chatserver.core.config import ROOM_SETTINGS, as_text
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.setting_values import Choice, Real, Whole
from chatserver.features.settings.settings import ListedSetting
from chatserver.http.page_context import local_time
from chatserver.http.viewer import VIEWER


def explained(request: web.Request, error: DomainError) -> DomainError:
    """Add a `label`, the setting's name in the reader's language, to an error about the value of a setting."""
    name = error.details.get("field")
    if error.code is not ErrorCode.BAD_REQUEST or name not in ROOM_SETTINGS:
        return error
    return DomainError(error.code, **error.details, label=request[VIEWER].t(f"page.settings.{name}"))


def choices(request: web.Request) -> dict[str, list[tuple[str, str]]]:
    """For each setting that is a choice: its options with their names in the reader's language."""
    t = request[VIEWER].t
    return {
        name: [(option, t(f"page.settings.{name}_{option}")) for option in setting.parse.options]
        for name, setting in ROOM_SETTINGS.items()
        if isinstance(setting.parse, Choice)
    }


def page_values(
    request: web.Request,
    listed: Iterable[ListedSetting],
    notes: Mapping[str, str],
    typed: Mapping[str, str] | None = None,
    error: DomainError | None = None,
) -> dict[str, Any]:
    """The values for the template: the rows of each group, in the table's order.

    `notes` says why settings have no effect. `typed` are the texts of a refused form, which replace the values; the
    row of the setting that `error` is about is marked.
    """
    wrong = error.details.get("field", "") if error else ""
    groups: dict[str, list[dict[str, Any]]] = {}
    before: dict[str, str] = {}
    for item in listed:
        groups.setdefault(item.setting.group, []).append(
            _row(request, item, notes.get(item.setting.name, ""), typed or {}, wrong)
        )
        before[item.setting.name] = as_text(item.value)
    return {
        "parts": list(groups.items()),
        "choices": choices(request),
        "before": json.dumps(before, ensure_ascii=False),
    }


def setting_json(item: ListedSetting) -> dict[str, Any]:
    """A setting as `chatserver settings --json` prints it, with the operator's value and its last change."""
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


def _row(request: web.Request, item: ListedSetting, note: str, typed: Mapping[str, str], wrong: str) -> dict[str, Any]:
    name, parse, last = item.setting.name, item.setting.parse, item.last
    return {
        "name": name,
        "kind": "choice" if isinstance(parse, Choice) else "number" if isinstance(parse, Whole | Real) else "text",
        "whole": isinstance(parse, Whole),
        "unit": item.setting.unit,
        "value": typed.get(name, as_text(item.value)),
        "wrong": name == wrong,
        "note": note,
        "source": item.source,
        "otherwise": as_text(item.operators_value),
        "otherwise_source": item.operators_source,
        "by": last.by if last else "",
        "at": local_time(request, last.changed_ms) if last else "",
    }
