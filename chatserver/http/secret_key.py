"""The server's secret key: created once, stored in the data directory with mode 0600."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

SECRET_BYTES = 32


def load(data_dir: Path) -> bytes:
    """Read `secret.key` (32 bytes) of this data directory; create it if it does not exist. Raises OSError."""
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
    """The secret files of this data directory: the regular files named `*.key`."""
    return sorted(path for path in data_dir.glob("[a-z]*.key") if path.is_file() and not path.is_symlink())
