"""The exported columns of the bots in use, without the hashes of their tokens."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "bots",
        "bot",
        ("user_id", "manages_windows", "rate", "made_by", "created_ms", "used_ms"),
        "user_id",
    ),
)
