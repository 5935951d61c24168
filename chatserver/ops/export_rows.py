"""What an export tells of the room: which columns of which table, and which of them never."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chatserver.db.transaction import Transaction

# table -> the `type` of its objects, the columns that they have, and the order of the lines.
EXPORTED = {
    "room": ("room", "epoch seq first_id", "id"),
    "settings": ("setting_change", "name value changed_ms changed_by", "name"),
    "users": ("member", "id name role avatar muted_until_ms banned read_id created_ms", "id"),
    "sessions": ("session", "id user_id created_ms seen_ms expires_ms agent address", "id"),
    "invites": ("invite", "uses_left created_ms expires_ms made_by", "created_ms"),
    "windows": ("window", "id opened_ms closes_ms closed_ms opened_by", "id"),
    "pictures": ("picture", "name image thumb width height changed_ms changed_by", "name"),
    "messages": (
        "message",
        "id seq posted_seq state kind preset user_id text image thumb width height closes_ms reply_to client_id"
        " created_ms recall_until_ms ended_by",
        "id",
    ),
    "reactions": ("reaction", "message_id emoji user_id", "message_id, emoji, user_id"),
}

# Hashes, keys, and what follows from a column that is told. A test knows every column of the schema.
WITHHELD = {
    "room": "id",
    "users": "password skeleton",
    "sessions": "token_hash",
    "invites": "code_hash",
    "messages": "media_key client_key",
    "clock": "id boot wall_ms steady_ms behind_ms leapt_ms",
}

# Columns that hold a member's id -> the field that says the name.
_NAMED = {
    "user_id": "user",
    "opened_by": "opened_by_name",
    "changed_by": "changed_by_name",
    "made_by": "made_by_name",
    "ended_by": "ended_by_name",
}


def told(tx: Transaction, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Every row, as an object with a `type`; messages oldest first. Times as in the tables, in ms."""
    names: dict[int, str] = dict(tx.all("SELECT id, name FROM users"))
    for table, (kind, columns, order) in EXPORTED.items():
        fields = columns.split()
        sql = f"SELECT {', '.join(fields)} FROM {table} ORDER BY {order}"  # nosec B608 # words of the table above
        for row in tx.execute(sql):
            value = dict(zip(fields, row, strict=True))
            value |= {name: names.get(value[field], "") for field, name in _NAMED.items() if field in value}
            if kind == "message":
                value["timestamp"] = shown_time(value["created_ms"], zone)
            yield {"type": kind, **value}


def shown_time(time_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
