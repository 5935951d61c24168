"""The error and the exit codes of a command that fails."""

from __future__ import annotations

# 1: refused by a rule or by the system; 2: a wrong flag or setting; 78: the database cannot be used (EX_CONFIG).
EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_DATABASE, EXIT_INTERRUPTED = 0, 1, 2, 78, 130


class CommandError(Exception):
    """A command failed. The message is printed as one line on standard error."""

    def __init__(self, message: str, code: int = EXIT_REFUSED) -> None:
        super().__init__(message)
        self.code = code
