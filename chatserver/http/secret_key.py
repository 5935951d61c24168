"""The server's secret key: created once, stored in the data directory with mode 0600."""

from __future__ import annotations

import errno
import secrets
from pathlib import Path

from chatserver.core import durable_files

SECRET_BYTES = 32


def load(data_dir: Path) -> bytes:
    """Read `secret.key` (32 bytes) of this data directory; create it if it does not exist.

    Raises OSError, also for a file of another length, because a short key, which a power failure or a full disk may
    have left, would not protect any form.
    """
    path = data_dir / "secret.key"
    if not path.exists():
        durable_files.write(path, secrets.token_bytes(SECRET_BYTES))
        durable_files.sync(data_dir)
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        advice = "restore it from a backup, or delete it: the next start creates another"
        raise OSError(errno.EINVAL, f"has {len(secret)} bytes, not {SECRET_BYTES}; {advice}", str(path))
    return secret


def files(data_dir: Path) -> list[Path]:
    """The secret files of this data directory: the regular files named `*.key`."""
    return sorted(path for path in data_dir.glob("[a-z]*.key") if path.is_file() and not path.is_symlink())
