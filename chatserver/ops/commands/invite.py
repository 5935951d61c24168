"""`chatserver invite`: create an invitation and print its address."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TypeVar

from chatserver.core.setting_values import Real, Whole
from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.options import add_json
from chatserver.ops.output import print_error, print_json
from chatserver.ops.own_address import own_address

T = TypeVar("T")

_HOURS_MIN = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--uses", metavar="N", type=_uses, default=1, help="members who may register (default: 1)")
    parser.add_argument("--hours", metavar="N", type=_hours, default=168, help="how long it is valid (default: 168)")
    add_json(parser)


def run(call: Call) -> None:
    done = call.operate("invite", {"uses": call.arguments.uses, "hours": call.arguments.hours})
    address = f"{done['address'] or own_address(call.config)}/register/?invite={done['code']}"
    if call.arguments.json:
        print_json({"address": address, **{name: value for name, value in done.items() if name != "address"}})
        return
    print(address)
    if done["registration"] != "invite":
        print_error(f"registration is {done['registration']}, so no invitation is needed now")


def _uses(typed: str) -> int:
    from chatserver.features.invites.invites import USES_MAX

    return _parsed(Whole(1, USES_MAX), typed)


def _hours(typed: str) -> float:
    from chatserver.features.invites.invites import HOURS_MAX

    return _parsed(Real(_HOURS_MIN, HOURS_MAX), typed)


def _parsed(parse: Callable[[str], T], typed: str) -> T:
    """Call `parse`, and turn a ValueError into argparse's own error, because argparse hides a ValueError's message."""
    try:
        return parse(typed)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}, not {typed!r}") from None


COMMAND = Command("invite", "create an invitation and print its link", add_arguments, run, position=5)
