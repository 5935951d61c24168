"""Secrets that a service manager passes as files, not as variables that child processes inherit.

See "System and Service Credentials" of systemd (https://systemd.io/CREDENTIALS/): the files lie in
`$CREDENTIALS_DIRECTORY`, for this service alone, in memory that is never swapped out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# File name -> the variable that it sets, and whether to the file's content or to its path.
_KNOWN = {
    "chat.metrics_token": ("CHAT_METRICS_TOKEN", "content"),
    "chat.tls_cert": ("CHAT_TLS_CERT", "path"),
    "chat.tls_key": ("CHAT_TLS_KEY", "path"),
}


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the files set; none where there is no such directory. Raises OSError."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        return {}
    found = {variable: (Path(directory, name), value) for name, (variable, value) in _KNOWN.items()}
    return {
        variable: str(path) if value == "path" else path.read_text("utf-8").strip()
        for variable, (path, value) in found.items()
        if path.exists()
    }
