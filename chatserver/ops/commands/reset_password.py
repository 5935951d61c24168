"""`chatserver reset-password NAME`: set a member's password and end their sessions, or print a link that does."""

from __future__ import annotations

import argparse
from typing import Any

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.failure import CommandError
from chatserver.ops.options import add_json, add_password
from chatserver.ops.output import print_json
from chatserver.ops.own_address import own_address
from chatserver.ops.passwords import read_password


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the member")
    add_password(parser)
    parser.add_argument(
        "--link", action="store_true", help="print a link with which the member sets it, within 24 hours"
    )
    add_json(parser)


def run(call: Call) -> None:
    if call.arguments.link:
        _print_link(call)
        return
    password = read_password(call, "New password: ")
    if password is None:
        raise CommandError("no password was given (see --password-stdin)")
    done = _operated(call, "reset-password", {"password": password})
    if call.arguments.json:
        print_json(done)
        return
    print(f"{done['name']} has a new password; sessions ended: {done['sessions_ended']}")


def _print_link(call: Call) -> None:
    done = _operated(call, "password-link", {})
    address = f"{done['address'] or own_address(call.config)}/password/{done['token']}/"
    if call.arguments.json:
        print_json({"name": done["name"], "address": address, "expires_ms": done["expires_ms"]})
    else:
        print(address)


def _operated(call: Call, operation: str, more: dict[str, Any]) -> Any:
    name = call.arguments.name
    call.require_room()
    try:
        return call.operate(operation, {"name": name, **more})
    except DomainError as refusal:
        if refusal.code is ErrorCode.NOT_FOUND:
            raise CommandError(f"there is no member named {name!r}") from None
        raise


COMMAND = Command(
    "reset-password", "set a member's password and end that member's sessions", add_arguments, run, position=3
)
