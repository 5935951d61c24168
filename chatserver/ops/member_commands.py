"""The verbs of the command line that concern its members: their flags, and what they print."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from chatserver.core.config import Config, Real, Whole
from chatserver.core.errors import DomainError, ErrorCode
from chatserver.ops import text_table
from chatserver.ops.call import Call, Operate
from chatserver.ops.failure import EXIT_USAGE, CommandError

T = TypeVar("T")

_PASSWORD_LINE_MAX = 64 * 1024
_TIME = "%Y-%m-%d %H:%M"


def add_create_admin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of a new or an existing member")
    _add_password(parser, "; if none is given, an existing member keeps the old one")
    _add_json(parser)


def create_admin(call: Call, operate: Operate) -> None:
    name = call.arguments.name
    password = _password(call, "Password (leave empty to keep an existing member's): ")
    try:
        done = operate(call, "create-admin", {"name": name, "password": password})
    except DomainError as refusal:
        if refusal.code is ErrorCode.PASSWORD_WEAK and password is None:
            raise CommandError(f"{name} is not a member yet: a password is required (see --password-stdin)") from None
        raise
    if call.arguments.json:
        _print_json({**done, "password_set": password is not None})
    elif done["created"]:
        print(f"{done['name']} was created as an administrator")
    else:
        print(f"{done['name']} is an administrator" + ("" if password is None else ", with a new password"))


def add_reset_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the member")
    _add_password(parser)
    _add_json(parser)


def reset_password(call: Call, operate: Operate) -> None:
    name = call.arguments.name
    password = _password(call, "New password: ")
    if password is None:
        raise CommandError("no password was given (see --password-stdin)")
    _require_room(call.config)
    try:
        done = operate(call, "reset-password", {"name": name, "password": password})
    except DomainError as refusal:
        raise (
            CommandError(f"there is no member named {name!r}") if refusal.code is ErrorCode.NOT_FOUND else refusal
        ) from None
    if call.arguments.json:
        _print_json(done)
        return
    print(f"{done['name']} has a new password; sessions ended: {done['sessions_ended']}")


def add_list_members(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)


def list_members(call: Call, operate: Operate) -> None:
    _require_room(call.config)
    members: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = operate(call, "list-members", {"after": after})
        members.extend(page["members"])
        after = page["next"]
    if call.arguments.json:
        _print_json(members)
        return
    rows = [_row(member, call.config) for member in members]
    print(text_table.aligned([("NAME", "ROLE", "CREATED", "LAST SEEN", "STATE"), *rows]))


def add_invite(parser: argparse.ArgumentParser) -> None:
    uses, hours = _typed(Whole(1, 10_000)), _typed(Real(0.01, 8_784))
    parser.add_argument("--uses", metavar="N", type=uses, default=1, help="members who can register (default: 1)")
    parser.add_argument("--hours", metavar="N", type=hours, default=168, help="hours until it expires (default: 168)")
    _add_json(parser)


def invite(call: Call, operate: Operate) -> None:
    done = operate(call, "invite", {"uses": call.arguments.uses, "hours": call.arguments.hours})
    address = f"{done['address'] or _own_address(call.config)}/register/?invite={done['code']}"
    if call.arguments.json:
        _print_json({"address": address, **{name: value for name, value in done.items() if name != "address"}})
        return
    print(address)
    if done["registration"] != "invite":
        print(f"chatserver: registration is {done['registration']}, so invitations are not in use", file=sys.stderr)


def _require_room(config: Config) -> None:
    """A question about members must not begin a room, nor answer for one in a directory that was mistyped."""
    if not (config.data_dir / "chat.db").is_file():
        raise CommandError(f"no chat database in {config.data_dir}")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_password(parser: argparse.ArgumentParser, more: str = "") -> None:
    help = f"read the password from standard input (one line) instead of asking on the terminal{more}"
    parser.add_argument("--password-stdin", action="store_true", help=help)


def _typed(parse: Callable[[str], T]) -> Callable[[str], T]:
    """`parse` for argparse, which hides what a ValueError says."""

    def convert(typed: str) -> T:
        try:
            return parse(typed)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"{error}, not {typed!r}") from None

    return convert


def _password(call: Call, prompt: str) -> str | None:
    """The password that was given, or None when none was."""
    if call.arguments.password_stdin:
        return _password_line()
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    try:
        first = getpass.getpass(prompt)
        if first and getpass.getpass("Repeat: ") != first:
            raise CommandError("the passwords do not match")
    except EOFError:
        raise CommandError("no password was given") from None
    return first or None


def _password_line() -> str | None:
    line = sys.stdin.buffer.readline(_PASSWORD_LINE_MAX) if sys.stdin else b""
    try:
        return line.decode("utf-8").removesuffix("\n").removesuffix("\r") or None
    except UnicodeDecodeError:
        raise CommandError("--password-stdin: the password must be UTF-8 text", EXIT_USAGE) from None


def _row(member: dict[str, Any], config: Config) -> tuple[str, ...]:
    def shown(time_ms: int | None) -> str:
        return "-" if time_ms is None else datetime.fromtimestamp(time_ms / 1000, config.timezone).strftime(_TIME)

    muted = f"muted until {shown(member['muted_until_ms'])}" if member["muted_until_ms"] else ""
    state = ", ".join(word for word in ("banned" if member["banned"] else "", muted) if word)
    return (member["name"], member["role"], shown(member["created_ms"]), shown(member["seen_ms"]), state or "-")


def _own_address(config: Config) -> str:
    """Where a server with these settings would answer; "" where only a running one knows its port."""
    if config.base_url or not config.port:
        return config.base_url
    host = f"[{config.host}]" if ":" in config.host else config.host
    return f"{'https' if config.tls_cert else 'http'}://{host}:{config.port}"


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))
