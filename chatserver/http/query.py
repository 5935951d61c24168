"""Numbers in a query string."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode

# SQLite's largest integer.
ID_MAX = 2**63 - 1


def number(request: web.Request, name: str, least: int, most: int, default: int) -> int:
    """The parameter as a whole number; `default` where it is absent. Raises DomainError `bad_request` (`field`)."""
    typed = request.query.get(name)
    if typed is None:
        return default
    if not (typed.isascii() and typed.isdigit() and len(typed) < 20 and least <= int(typed) <= most):
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return int(typed)
