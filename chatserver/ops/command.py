"""An operator's command: what `chatserver NAME` takes and does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

from chatserver.ops.call import Call


@dataclass(frozen=True, slots=True)
class Command:
    """`add_arguments` adds what it takes besides --data-dir; `run` imports what only this command needs.

    `run` raises CommandError, DomainError and OSError, and may raise SystemExit with an exit code.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Call], None]
    # Its place in `chatserver --help`; equal ones are in alphabetical order.
    position: int = 100
