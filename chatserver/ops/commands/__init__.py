"""The operator's commands. Each file here exports one COMMAND; there is no list of them.

All of these files are imported for every command line, so a file imports at its top only what its help needs.
"""

from __future__ import annotations

import importlib
import pkgutil

from chatserver.ops.command import Command


def find_commands() -> tuple[Command, ...]:
    """Every command, in the order of `chatserver --help`."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    commands: list[Command] = [module.COMMAND for module in modules]
    return tuple(sorted(commands, key=lambda command: (command.position, command.name)))
