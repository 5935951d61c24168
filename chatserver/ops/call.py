"""The arguments and settings of a command, and its calls to the server's part of the command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from chatserver.core.config import Config
from chatserver.ops.failure import EXIT_DATABASE, CommandError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """The parsed command line, the settings, and the source of each setting's value."""

    arguments: argparse.Namespace
    config: Config
    sources: dict[str, str]

    def operate(self, operation: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call one of the features' OPERATIONS in the running server, or on the files if no server runs.

        Raises DomainError as the operation does, CommandError, and OSError.
        """
        from chatserver.ops.control.client import operate

        return run_async(operate(self.config, operation, arguments or {}))

    def require_room(self) -> None:
        """Raise CommandError if there is no room yet, so that no room is created in a mistyped directory."""
        if not has_room(self.config):
            raise CommandError(f"no chat database in {self.config.data_dir}")

    @contextlib.contextmanager
    def database_errors(self) -> Iterator[None]:
        """Turn SQLite's errors in the block into a CommandError that names the database."""
        import sqlite3

        try:
            yield
        except sqlite3.Error as error:
            raise CommandError(f"{self.config.data_dir / 'chat.db'}: {error}", EXIT_DATABASE) from None


def has_room(config: Config) -> bool:
    return (config.data_dir / "chat.db").is_file()


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` and return its result. Raises CommandError if another process or the database prevents it."""
    from chatserver.db.data_lock import DataLocked
    from chatserver.db.migrations import DatabaseUnusable
    from chatserver.ops.control.client import Unreachable

    try:
        return asyncio.run(work)
    except DatabaseUnusable as error:
        raise CommandError(str(error), EXIT_DATABASE) from None
    except Unreachable as error:
        raise CommandError(str(error)) from None
    except DataLocked as error:
        raise CommandError(f"{error}: another process is using this data directory") from None
