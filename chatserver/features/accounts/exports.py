"""The exported columns of members, old names, sessions and password links: no password, no token, no hash."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "users",
        "member",
        ("id", "name", "role", "avatar", "muted_until_ms", "banned", "read_id", "created_ms", "used_invite_id"),
        "id",
    ),
    ExportTable(
        "sessions",
        "session",
        ("id", "user_id", "created_ms", "seen_ms", "expires_ms", "agent", "address"),
        "id",
    ),
    ExportTable("renames", "rename", ("user_id", "renamed_ms", "old_name"), "user_id"),
    ExportTable("password_links", "password_link", ("user_id", "created_ms", "expires_ms", "made_by"), "user_id"),
)
