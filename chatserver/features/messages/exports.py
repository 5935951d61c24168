"""What an export holds of messages and reactions."""

from __future__ import annotations

from chatserver.core.export import ExportTable
from chatserver.core.model import AddedFields

_MESSAGE = (
    "id", "seq", "posted_seq", "state", "kind", "preset", "user_id", "text", "image", "thumb", "width", "height",
    "closes_ms", "window_id", "album", "reply_to", "client_id", "created_ms", "recall_until_ms", "ended_by", "extra",
    *AddedFields._fields,
)  # fmt: skip

EXPORTS = (
    ExportTable("messages", "message", _MESSAGE, "id"),
    ExportTable("reactions", "reaction", ("message_id", "emoji", "user_id"), "message_id, emoji, user_id"),
)
