"""Prints the results and errors of commands."""

from __future__ import annotations

import json
import sys
from typing import Any

from chatserver.core.logs import escape_unprintable


def print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_error(message: str) -> None:
    """Print one line on standard error."""
    print(escape_unprintable(f"chatserver: {message}"), file=sys.stderr)
