"""Reads the fields of a JSON object that a client sent."""

from __future__ import annotations

from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.numbers import ID_MAX


class JsonFields:
    """The readers of fields raise DomainError `bad_request` (`field`)."""

    __slots__ = ("fields",)

    def __init__(self, fields: dict[str, Any]) -> None:
        self.fields = fields

    def text(self, name: str) -> str:
        """The field's text; "" where it is absent or null."""
        value = self.fields.get(name, "")
        if value is None:
            return ""
        if not isinstance(value, str):
            raise DomainError(ErrorCode.BAD_REQUEST, field=name)
        return value

    def id(self, name: str) -> int:
        """The field's id, 1 or more."""
        value = self.fields.get(name)
        if type(value) is not int or not 0 < value <= ID_MAX:
            raise DomainError(ErrorCode.BAD_REQUEST, field=name)
        return value

    def optional_id(self, name: str) -> int | None:
        """The same; None where the field is absent or null."""
        return None if self.fields.get(name) is None else self.id(name)
