"""Reads a password from standard input or from the terminal."""

from __future__ import annotations

import sys

from chatserver.ops.call import Call
from chatserver.ops.failure import EXIT_USAGE, CommandError

_LINE_MAX = 64 * 1024


def read_password(call: Call, prompt: str) -> str | None:
    """Read the password; None if no password was given. Raises CommandError if the repeated password differs."""
    if call.arguments.password_stdin:
        return _read_line()
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    import getpass

    try:
        first = getpass.getpass(prompt)
        if first and getpass.getpass("Repeat: ") != first:
            raise CommandError("the passwords do not match")
    except EOFError:
        raise CommandError("no password was given") from None
    return first or None


def _read_line() -> str | None:
    line = sys.stdin.buffer.readline(_LINE_MAX) if sys.stdin else b""
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r") or None
    except UnicodeDecodeError:
        raise CommandError("--password-stdin: the password must be UTF-8 text", EXIT_USAGE) from None
