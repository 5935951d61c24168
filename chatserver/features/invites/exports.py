"""What an export holds of the invitations that can still be used: not their codes, nor the hashes of these."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "invites",
        "invite",
        ("uses_left", "created_ms", "expires_ms", "made_by"),
        "created_ms",
    ),
)
