"""Command-line options that several commands share."""

from __future__ import annotations

import argparse

from chatserver.core.config import SETTINGS, Setting


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_force(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--force", action="store_true", help=help)


def add_password(parser: argparse.ArgumentParser, more: str = "") -> None:
    help = f"read the password from standard input (one line) instead of asking on the terminal{more}"
    parser.add_argument("--password-stdin", action="store_true", help=help)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add the flags of all settings except --data-dir, which every command has."""
    group = parser.add_argument_group("settings", "each can also be set by its variable; the flag wins")
    for setting in SETTINGS:
        if setting.name != "data_dir":
            add_setting(group, setting)


def add_setting(parser: argparse._ActionsContainer, setting: Setting) -> None:
    help = f"{setting.help} (default: {setting.default or 'empty'}; variable: {setting.variable})"
    parser.add_argument(
        setting.flag,
        dest="setting_" + setting.name,
        metavar="VALUE",
        # The default must not replace the value of a flag that stands before the command's name.
        default=argparse.SUPPRESS,
        help=help.replace("%", "%%"),
    )


def setting_flags(arguments: argparse.Namespace) -> dict[str, str | None]:
    """Setting's name -> the value of its flag; None if the flag was not given."""
    return {setting.name: getattr(arguments, "setting_" + setting.name, None) for setting in SETTINGS}
