"""What the features add to `hello` and to the room page, as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatserver.core import json

# Fields of `hello` and of the page that a feature adds. What it returned is never changed afterwards.
HelloFields = Callable[[], dict[str, Any]]


class FeatureFields:
    """Encoded again only when a field has changed: with it, accepting a connection took a twentieth longer."""

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
