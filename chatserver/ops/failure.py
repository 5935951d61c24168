"""How a command ends that cannot go on."""

from __future__ import annotations

# 1: a rule or the machine refused; 2: a wrong flag or setting; 78: the database cannot be used (EX_CONFIG).
EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_DATABASE, EXIT_INTERRUPTED = 0, 1, 2, 78, 130


class CommandError(Exception):
    """A command cannot go on. The message is printed as one line on standard error."""

    def __init__(self, message: str, code: int = EXIT_REFUSED) -> None:
        super().__init__(message)
        self.code = code
