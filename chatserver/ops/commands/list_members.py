"""`chatserver list-members`: every member with role, dates, and whether muted or banned."""

from __future__ import annotations

from typing import Any

from chatserver.core.config import Config
from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.options import add_json
from chatserver.ops.output import print_json

_TIME = "%Y-%m-%d %H:%M"


def run(call: Call) -> None:
    call.require_room()
    members: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = call.operate("list-members", {"after": after})
        members.extend(page["members"])
        after = page["next"]
    if call.arguments.json:
        print_json(members)
        return
    from chatserver.ops import text_table

    rows = [_row(member, call.config) for member in members]
    print(text_table.aligned([("NAME", "ROLE", "CREATED", "LAST SEEN", "STATE"), *rows]))


def _row(member: dict[str, Any], config: Config) -> tuple[str, ...]:
    from datetime import datetime

    def shown(time_ms: int | None) -> str:
        return "-" if time_ms is None else datetime.fromtimestamp(time_ms / 1000, config.timezone).strftime(_TIME)

    muted = f"muted until {shown(member['muted_until_ms'])}" if member["muted_until_ms"] else ""
    state = ", ".join(word for word in ("banned" if member["banned"] else "", muted) if word)
    return (member["name"], member["role"], shown(member["created_ms"]), shown(member["seen_ms"]), state or "-")


COMMAND = Command(
    "list-members", "list the members with role, creation time, last activity and state", add_json, run, position=4
)
