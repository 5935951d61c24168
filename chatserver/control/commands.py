"""What an operator may ask for, whoever carries it out. A command is a name and a JSON object."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chatserver.refusals import Code, Refusal
from chatserver.room import Room

Arguments = dict[str, Any]


async def carry_out(room: Room, command: str, arguments: Arguments) -> dict[str, Any]:
    """The command's answer. Refuses with `bad_request` what is no command, and as the rules do."""
    act = _COMMANDS.get(command)
    if act is None:
        raise Refusal(Code.BAD_REQUEST, command=command)
    return await act(room, arguments)


async def _create_admin(room: Room, arguments: Arguments) -> dict[str, Any]:
    """`name`, and `password` or null; answers `name` and whether it was `created`."""
    user, is_new = await room.accounts.make_administrator(arguments["name"], arguments.get("password"))
    return {"name": user.name, "created": is_new}


_COMMANDS: dict[str, Callable[[Room, Arguments], Awaitable[dict[str, Any]]]] = {
    "create-admin": _create_admin,
}
