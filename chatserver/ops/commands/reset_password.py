"""`chatserver reset-password NAME`: set a member's password and end their sessions."""

from __future__ import annotations

import argparse

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.failure import CommandError
from chatserver.ops.options import add_json, add_password
from chatserver.ops.output import print_json
from chatserver.ops.passwords import read_password


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the member")
    add_password(parser)
    add_json(parser)


def run(call: Call) -> None:
    name = call.arguments.name
    password = read_password(call, "New password: ")
    if password is None:
        raise CommandError("no password was given (see --password-stdin)")
    call.require_room()
    try:
        done = call.operate("reset-password", {"name": name, "password": password})
    except DomainError as refusal:
        if refusal.code is ErrorCode.NOT_FOUND:
            raise CommandError(f"there is no member named {name!r}") from None
        raise
    if call.arguments.json:
        print_json(done)
        return
    print(f"{done['name']} has a new password; sessions ended: {done['sessions_ended']}")


COMMAND = Command(
    "reset-password", "set a member's password and end that member's sessions", add_arguments, run, position=3
)
