"""The exported columns of the settings that administrators changed."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "settings",
        "setting_change",
        ("name", "value", "changed_ms", "changed_by"),
        "name",
    ),
)
