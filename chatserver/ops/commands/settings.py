"""`chatserver settings`: every setting, its value, and where the value comes from."""

from __future__ import annotations

import argparse
from typing import Any

from chatserver.core.config import SETTINGS, Config, Setting, as_text, overridden
from chatserver.ops.call import Call, has_room
from chatserver.ops.command import Command
from chatserver.ops.options import add_json, add_settings
from chatserver.ops.output import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_settings(parser)


def run(call: Call) -> None:
    config, sources = _in_force(call)
    values = [(setting, getattr(config, setting.name), sources[setting.name]) for setting in SETTINGS]
    if call.arguments.json:
        print_json([_as_json(setting, value, source) for setting, value, source in values])
        return
    from chatserver.ops import text_table

    header = ("SETTING", "DEFAULT", "NOW", "FROM")
    cells = [
        (setting.variable, setting.default or '""', as_text(_printed(setting, value)) or '""', source)
        for setting, value, source in values
    ]
    print(text_table.aligned([header, *cells]))


def _in_force(call: Call) -> tuple[Config, dict[str, str]]:
    """The settings and their sources. If there is a database, the values that administrators set have priority."""
    if not has_room(call.config):
        return call.config, call.sources
    values: dict[str, str] = call.operate("settings")["words"]
    config, unusable = overridden(call.config, values)
    return config, call.sources | {name: "room" for name in values if name not in unusable}


def _as_json(setting: Setting, value: Any, source: str) -> dict[str, Any]:
    return {
        "name": setting.name,
        "variable": setting.variable,
        "flag": setting.flag,
        "default": _json_value(setting.parse(setting.default)),
        "value": _json_value(_printed(setting, value)),
        "source": source,
        "help": setting.help,
    }


def _printed(setting: Setting, value: Any) -> Any:
    """The value to print; for a secret only "(set)"."""
    return "(set)" if setting.is_secret and value else value


def _json_value(value: Any) -> int | float | str | list[str]:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if isinstance(value, int | float) else str(value)


COMMAND = Command("settings", "print every setting with its value and source", add_arguments, run, position=11)
