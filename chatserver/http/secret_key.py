"""The server's own secret: made once, kept in the data directory, readable by its user alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


def load(data_dir: Path) -> bytes:
    """The secret of this data directory, made if there is none."""
    path = data_dir / "secret.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    return path.read_bytes()


def files(data_dir: Path) -> list[Path]:
    """Every secret of this data directory: the regular files `*.key` in it."""
    return sorted(path for path in data_dir.glob("[a-z]*.key") if path.is_file() and not path.is_symlink())
