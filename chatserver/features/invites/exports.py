"""The exported columns of open and used invitations, without their codes and the hashes of the codes."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "invites",
        "invite",
        ("uses_left", "created_ms", "expires_ms", "made_by"),
        "created_ms",
    ),
    ExportTable("used_invites", "used_invite", ("id", "created_ms", "made_by"), "id"),
)
