"""An operation is the server's part of a command. Features declare them in OPERATIONS; server.py collects them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode

# The argument and the answer are JSON objects. An operation raises DomainError.
Operation = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
# Name -> operation; the name is usually the command's.
Operations = Mapping[str, Operation]


async def run_operation(operations: Operations, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run an operation and return its answer.

    Raises DomainError: `bad_request` for an unknown name, and every error of the operation.
    """
    operation = operations.get(name)
    if operation is None:
        raise DomainError(ErrorCode.BAD_REQUEST, command=name)
    return await operation(arguments)
