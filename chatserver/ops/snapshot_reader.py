"""Takes a snapshot and reads it in the operator's process, whether or not the server runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chatserver.core.config import Config
from chatserver.ops.call import Call
from chatserver.ops.failure import CommandError


@dataclass(frozen=True, slots=True)
class ReceivedSnapshot:
    """`file` is an open archive whose name was deleted; `settings` are the room's settings in force."""

    file: BinaryIO
    settings: dict[str, str]


@contextlib.contextmanager
def received(call: Call) -> Iterator[ReceivedSnapshot]:
    """Take a snapshot. Raises CommandError if there is no room yet; does not create a room."""
    call.require_room()
    answer = call.operate("snapshot")
    path = call.config.data_dir / answer["file"]
    with path.open("rb") as file:
        path.unlink(missing_ok=True)
        yield ReceivedSnapshot(file, answer["settings"])


def check_target(config: Config, target: Path, *, force: bool) -> None:
    """Raise CommandError if `target` cannot be written. Call it before the snapshot is taken."""
    if target.is_dir():
        raise CommandError(f"{target} is a directory; name a file")
    if not target.parent.is_dir():
        raise CommandError(f"no such directory: {target.parent}")
    if not force and (target.exists() or target.is_symlink()):
        raise CommandError(f"{target} already exists (--force replaces it)")
    if target.parent.resolve().is_relative_to(config.data_dir.resolve()):
        # Recalled content must leave the data directory, but this file would keep it there.
        raise CommandError(f"{target} is inside the data directory; choose a path outside it")
