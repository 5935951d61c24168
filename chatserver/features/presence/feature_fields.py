"""The fields that features add to `hello` and to the room page, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatserver.core import json

# Returns the fields that a feature adds to `hello` and to the page. The returned object is never changed afterwards.
HelloFields = Callable[[], dict[str, Any]]


class FeatureFields:
    """Encodes the fields only when a field has changed, because encoding them each time slows handshakes by 5 %."""

    def __init__(self, feature_fields: Sequence[HelloFields]) -> None:
        self._feature_fields = feature_fields
        self._fields: dict[str, Any] = {}
        self._encoded = b""

    def encoded(self) -> bytes:
        """All fields as they are now: a JSON object without its braces."""
        fields: dict[str, Any] = {}
        for hello_fields in self._feature_fields:
            fields |= hello_fields()
        if fields != self._fields:
            self._fields, self._encoded = fields, json.dumps(fields)[1:-1]
        return self._encoded
