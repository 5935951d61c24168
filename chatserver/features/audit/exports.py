"""The exported columns of the audit log, which are all of its columns."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "audit",
        "audit",
        ("id", "at_ms", "act", "done_by", "user_id", "details", "device"),
        "id",
    ),
)
