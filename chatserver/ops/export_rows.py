"""The rows of an export: each feature's EXPORTS, in this order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chatserver.core.export import ExportTable
from chatserver.db import sequence
from chatserver.db.transaction import Transaction
from chatserver.features.accounts import exports as accounts
from chatserver.features.announcements import exports as announcements
from chatserver.features.audit import exports as audit
from chatserver.features.bots import exports as bots
from chatserver.features.invites import exports as invites
from chatserver.features.messages import exports as messages
from chatserver.features.ordering import exports as ordering
from chatserver.features.push import exports as push
from chatserver.features.settings import exports as settings

TABLES: tuple[ExportTable, ...] = (
    *sequence.EXPORTS,
    *settings.EXPORTS,
    *accounts.EXPORTS,
    *push.EXPORTS,
    *bots.EXPORTS,
    *invites.EXPORTS,
    *ordering.EXPORTS,
    *announcements.EXPORTS,
    *messages.EXPORTS,
    *audit.EXPORTS,
)
# The object types that the readable page shows -> the column with the time of the object.
_SHOWN_TIMES = {"message": "created_ms", "notice": "changed_ms"}


def objects(tx: Transaction, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    """Every row as an object with a `type`; messages oldest first. Times are in Unix ms, as in the tables."""
    names: dict[int, str] = dict(tx.all("SELECT id, name FROM users"))
    for table in TABLES:
        sql = f"SELECT {', '.join(table.columns)} FROM {table.table} ORDER BY {table.order}"  # nosec B608 # constants
        for row in tx.execute(sql):
            value = {name: _shown(cell) for name, cell in zip(table.columns, row, strict=True)}
            value |= {_name_field(column): names.get(value[column], "") for column in _member_columns(table)}
            if table.type in _SHOWN_TIMES:
                value["timestamp"] = shown_time(value[_SHOWN_TIMES[table.type]], zone)
            yield {"type": table.type, **value}


def _shown(cell: Any) -> Any:
    """Convert bytes (a hash of a journal) to hexadecimal; return any other value unchanged."""
    return cell.hex() if isinstance(cell, bytes) else cell


def _member_columns(table: ExportTable) -> list[str]:
    """The columns that hold a member's id, to which the export adds the member's name."""
    return [column for column in table.columns if column == "user_id" or column.endswith("_by")]


def _name_field(column: str) -> str:
    """The field for the member's name, for example `user` for `user_id`, `changed_by_name` for `changed_by`."""
    return "user" if column == "user_id" else f"{column}_name"


def shown_time(time_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time_ms / 1000, zone).strftime("%Y-%m-%d %H:%M:%S")
