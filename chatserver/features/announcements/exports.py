"""What an export holds of the announcement picture and the preset picture."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "pictures",
        "picture",
        ("name", "image", "thumb", "width", "height", "changed_ms", "changed_by"),
        "name",
    ),
)
