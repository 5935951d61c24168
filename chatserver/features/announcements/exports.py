"""The exported columns of the announcement picture, the preset picture and the notice."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "pictures",
        "picture",
        ("name", "image", "thumb", "width", "height", "changed_ms", "changed_by"),
        "name",
    ),
    ExportTable("notice", "notice", ("text", "changed_ms", "changed_by"), "id"),
)
