"""What an export holds of the ordering windows."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "windows",
        "window",
        ("id", "opened_ms", "closes_ms", "closed_ms", "opened_by"),
        "id",
    ),
)
