"""The fields of a form, or of a JSON object with the same fields."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from aiohttp import web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.http import forms
from chatserver.http.viewer import form_of


async def typed_fields(request: web.Request, known: Set[str]) -> dict[str, Any]:
    """The fields as sent, without the CSRF token. Raises DomainError `bad_request` (`field`) if one is not `known`."""
    is_json = request.content_type == "application/json"
    typed: dict[str, Any] = await forms.read_json(request) if is_json else dict(form_of(request).fields)
    typed.pop("csrf_token", None)
    for name in typed.keys() - known:
        raise DomainError(ErrorCode.BAD_REQUEST, field=name)
    return typed
