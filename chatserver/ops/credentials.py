"""Reads secrets that a service manager passes as files, because child processes inherit variables.

See "System and Service Credentials" of systemd (https://systemd.io/CREDENTIALS/): the files are in
`$CREDENTIALS_DIRECTORY`, which only this service can read, in memory that is never swapped out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# File name -> the variable that it sets, and the variable's value: the file's content or its path.
_KNOWN = {
    "chat.metrics_token": ("CHAT_METRICS_TOKEN", "content"),
    "chat.tls_cert": ("CHAT_TLS_CERT", "path"),
    "chat.tls_key": ("CHAT_TLS_KEY", "path"),
}


def variables(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that the files set; empty if there is no such directory. Raises OSError."""
    directory = environ.get("CREDENTIALS_DIRECTORY", "")
    if not directory:
        return {}
    found = {variable: (Path(directory, name), value) for name, (variable, value) in _KNOWN.items()}
    return {
        variable: str(path) if value == "path" else path.read_text("utf-8").strip()
        for variable, (path, value) in found.items()
        if path.exists()
    }
