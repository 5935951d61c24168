"""Secrets that a service manager hands over as files, instead of variables that every child inherits.

See "System and Service Credentials" of systemd (https://systemd.io/CREDENTIALS/): the files lie in
`$CREDENTIALS_DIRECTORY`, for this service alone, in memory that is never swapped out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# The file's name -> the variable that it stands for, and whether that wants what is in it or where it is.
_KNOWN = {
    "chat.metrics_token": ("CHAT_METRICS_TOKEN", "content"),
    "chat.tls_cert": ("CHAT_TLS_CERT", "path"),
    "chat.tls_key": ("CHAT_TLS_KEY", "path"),
}


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the files stand for; none where nothing was handed over. Raises OSError."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        return {}
    found = {variable: (Path(directory, name), wanted) for name, (variable, wanted) in _KNOWN.items()}
    return {
        variable: str(path) if wanted == "path" else path.read_text("utf-8").strip()
        for variable, (path, wanted) in found.items()
        if path.exists()
    }
