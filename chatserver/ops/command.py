"""An operator's command: the arguments of `chatserver NAME`, and the function that runs it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from chatserver.ops.call import Call


@dataclass(frozen=True, slots=True)
class Command:
    """`add_arguments` adds the arguments besides --data-dir; `run` imports the modules that only this command needs.

    `run` raises CommandError, DomainError and OSError, and may raise SystemExit with an exit code.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Call], None]
    # The place in `chatserver --help`; commands with the same number are in alphabetical order.
    position: int = 100
