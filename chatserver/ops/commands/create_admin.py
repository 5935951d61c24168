"""`chatserver create-admin NAME`: make a member, new or existing, an administrator."""

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
    parser.add_argument("name", metavar="NAME", help="a new member's name, or an existing member's")
    add_password(parser, "; if none is given, an existing member keeps the old one")
    add_json(parser)


def run(call: Call) -> None:
    name = call.arguments.name
    password = read_password(call, "Password (empty: an existing member's stays): ")
    try:
        done = call.operate("create-admin", {"name": name, "password": password})
    except DomainError as refusal:
        if refusal.code is ErrorCode.PASSWORD_WEAK and password is None:
            raise CommandError(f"{name} is not a member yet: a password is required (see --password-stdin)") from None
        raise
    if call.arguments.json:
        print_json({**done, "password_set": password is not None})
    elif done["created"]:
        print(f"{done['name']} was created as an administrator")
    else:
        print(f"{done['name']} is an administrator" + ("" if password is None else ", with a new password"))


COMMAND = Command(
    "create-admin", "create an administrator, or make an existing member one", add_arguments, run, position=2
)
