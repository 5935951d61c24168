"""The exported columns of subscriptions, without the address and the keys of a browser."""

from __future__ import annotations

from chatserver.core.export import ExportTable

EXPORTS = (
    ExportTable(
        "push_subscriptions",
        "push_subscription",
        ("id", "user_id", "session_id", "language", "opened", "closes", "named", "words", "quiet_from", "quiet_to",
         "created_ms"),
        "id",
    ),
)  # fmt: skip
