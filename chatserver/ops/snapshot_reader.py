"""A snapshot of the room in the operator's hands, whether or not the server runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from chatserver.core.config import Config
from chatserver.ops.failure import CommandError

# Carries out a command of ops/control/commands.py that takes no arguments.
Operate = Callable[[str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`file` is an archive that has no name any more; `settings` are the room's in force."""

    file: BinaryIO
    settings: dict[str, str]


@contextlib.contextmanager
def received(config: Config, operate: Operate) -> Iterator[Snapshot]:
    """Take a snapshot. Fails where there is no room yet, and makes none."""
    if not (config.data_dir / "chat.db").is_file():
        raise CommandError(f"no chat database in {config.data_dir}")
    answer = operate("snapshot")
    path = config.data_dir / answer["file"]
    with path.open("rb") as file:
        path.unlink(missing_ok=True)
        yield Snapshot(file, answer["settings"])


def check_target(config: Config, target: Path, *, force: bool) -> None:
    """Refuse early what cannot be written, before the room is asked for anything."""
    if target.is_dir():
        raise CommandError(f"{target} is a directory; name a file")
    if not target.parent.is_dir():
        raise CommandError(f"no such directory: {target.parent}")
    if not force and (target.exists() or target.is_symlink()):
        raise CommandError(f"{target} already exists (--force replaces it)")
    if target.parent.resolve().is_relative_to(config.data_dir.resolve()):
        # What members take back has to leave the data directory.
        raise CommandError(f"{target} is inside the data directory; choose a path outside it")
