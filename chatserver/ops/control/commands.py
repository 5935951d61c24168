"""What an operator may ask for, whoever carries it out. A command is a name and a JSON object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.features.accounts.store import Member
from chatserver.features.room import Room
from chatserver.ops import snapshot

Arguments = dict[str, Any]

# Members in one answer: it is one line, made on the loop.
MEMBERS_MAX = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """`address` is where the server listens; "" when none runs."""

    room: Room
    arguments: Arguments
    address: str


async def carry_out(room: Room, command: str, arguments: Arguments, address: str = "") -> dict[str, Any]:
    """The command's answer. Refuses with `bad_request` what is no command, and as the rules do."""
    act = _COMMANDS.get(command)
    if act is None:
        raise DomainError(ErrorCode.BAD_REQUEST, command=command)
    return await act(Asked(room, arguments, address))


async def _create_admin(asked: Asked) -> dict[str, Any]:
    """`name`, and `password` or null; answers `name` and whether it was `created`."""
    arguments = asked.arguments
    user, is_new = await asked.room.accounts.make_administrator(arguments["name"], arguments.get("password"))
    return {"name": user.name, "created": is_new}


async def _reset_password(asked: Asked) -> dict[str, Any]:
    """`name` and `password`; answers `name` and how many `sessions_ended`."""
    arguments = asked.arguments
    user, ended = await asked.room.accounts.reset_password(arguments["name"], arguments["password"])
    return {"name": user.name, "sessions_ended": ended}


async def _list_members(asked: Asked) -> dict[str, Any]:
    """The `members` whose id is above `after`; `next` is the `after` to go on with, or null."""
    found = await asked.room.accounts.members(asked.arguments["after"], MEMBERS_MAX)
    goes_on = len(found) == MEMBERS_MAX
    return {"members": [_member(member) for member in found], "next": found[-1].user.id if goes_on else None}


async def _invite(asked: Asked) -> dict[str, Any]:
    """`uses` and `hours`; answers `code`, `uses`, `expires_ms`, the `registration` policy, and the
    room's `address`, "" where only the asker's own settings can tell it."""
    invite = await asked.room.invites.create(asked.arguments["uses"], asked.arguments["hours"])
    now = asked.room.settings.now
    return {
        "code": invite.code,
        "uses": invite.opened.uses_left,
        "expires_ms": invite.opened.expires_ms,
        "registration": now.registration,
        "address": now.base_url or asked.address,
    }


async def _settings(asked: Asked) -> dict[str, Any]:
    """The administrators' `words` that are in force, by the settings' names."""
    listed = await asked.room.changing.listed()
    return {"words": {item.setting.name: item.last.value for item in listed if item.last and item.source == "room"}}


def _member(member: Member) -> dict[str, Any]:
    return {
        "id": member.user.id,
        "name": member.user.name,
        "role": member.user.role.value,
        "created_ms": member.created_ms,
        "seen_ms": member.seen_ms,
        "muted_until_ms": member.muted_until_ms or None,
        "banned": member.banned,
    }


async def _snapshot(asked: Asked) -> dict[str, Any]:
    """Answers as snapshot.take does."""
    return await snapshot.take(asked.room)


async def _look(asked: Asked) -> dict[str, Any]:
    """How the `database` is (storage.health), and the `address` at which the room should answer."""
    address = asked.room.settings.now.base_url or asked.address
    return {"database": asdict(await asked.room.keeping.look()), "address": address}


_COMMANDS: dict[str, Callable[[Asked], Awaitable[dict[str, Any]]]] = {
    "create-admin": _create_admin,
    "reset-password": _reset_password,
    "list-members": _list_members,
    "invite": _invite,
    "settings": _settings,
    "snapshot": _snapshot,
    "look": _look,
}
