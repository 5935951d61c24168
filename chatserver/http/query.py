"""Numbers in a query string."""

from __future__ import annotations

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.numbers import whole_number


def number(request: web.Request, name: str, least: int, most: int, default: int) -> int:
    """The parameter as a whole number; `default` if it is absent. Raises DomainError `bad_request` (`field`)."""
    typed = request.query.get(name)
    if typed is None:
        return default
    found = whole_number(typed, least, most)
    if found is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return found
