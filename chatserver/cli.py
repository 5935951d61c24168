"""The commands: `run.py`, `chatserver` and `python -m chatserver` all come here.

Whatever goes wrong is one line on standard error and an exit code: 1, a rule or the machine said
no; 2, a wrong flag or setting; 78, the database cannot be used (EX_CONFIG, after which a service
manager need not try again).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from chatserver import __version__
from chatserver.core import logs
from chatserver.core.config import SETTINGS, Config, ConfigError, Setting, load, overridden, shown
from chatserver.core.errors import DomainError
from chatserver.ops import credentials, member_commands, text_table
from chatserver.ops import room_commands as verbs
from chatserver.ops.call import Call, Operate
from chatserver.ops.failure import EXIT_DATABASE, EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, EXIT_USAGE, CommandError

T = TypeVar("T")


def main(argv: list[str] | None = None) -> int:
    """Run the program with `argv`, or with the command line. Returns the exit code."""
    _print_what_cannot_be_encoded()
    parser = _parser()
    try:
        arguments = parser.parse_args(_with_command(parser, sys.argv[1:] if argv is None else argv))
        config, sources = load(_flags(arguments), {**credentials.variables(os.environ), **os.environ})
        arguments.run(Call(arguments, config, sources))
        print(end="", flush=True)
        return EXIT_OK
    except SystemExit as exit:  # argparse, after --help and after an error; and `serve`
        return exit.code if isinstance(exit.code, int) else EXIT_OK
    except ConfigError as error:
        return _complain(str(error), EXIT_USAGE)
    except CommandError as failure:
        return _complain(str(failure), failure.code)
    except DomainError as refusal:
        return _complain(_words(refusal), EXIT_REFUSED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `settings | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_REFUSED
    except OSError as error:
        return _complain(_os_error_text(error), EXIT_REFUSED)


def serve(call: Call) -> None:
    # A start makes nothing but what stays: looking through it a hundred times took a seventh of its time.
    gc.disable()  # until the room listens: app._tune_garbage_collector
    try:
        from chatserver.server import serve

        logs.setup(call.config.log_level, call.config.log_format, behind=True)
        sys.exit(_carry_out(serve(call.config, call.sources)))
    finally:
        gc.enable()


def version(call: Call) -> None:
    if call.arguments.json:
        _print_json({"version": __version__})
    else:
        print(f"chatserver {__version__}")


def settings(call: Call) -> None:
    config, sources = _with_the_rooms_words(call)
    values = [(setting, getattr(config, setting.name), sources[setting.name]) for setting in SETTINGS]
    if call.arguments.json:
        _print_json([_setting_json(setting, value, source) for setting, value, source in values])
        return
    header = ("SETTING", "DEFAULT", "NOW", "FROM")
    cells = [
        (setting.variable, setting.default or '""', shown(_printed(setting, value)) or '""', source)
        for setting, value, source in values
    ]
    print(text_table.aligned([header, *cells]))


@dataclass(frozen=True, slots=True)
class Command:
    """One verb. `add` says what it takes besides --data-dir."""

    name: str
    run: Callable[[Call], None]
    help: str
    add: Callable[[argparse.ArgumentParser], None]


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_settings(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("settings", "each can also be set by its variable; the flag wins")
    for setting in SETTINGS:
        if setting.name != "data_dir":
            _add_setting(group, setting)


def _add_settings_command(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)
    _add_settings(parser)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    verbs.add_doctor(parser)
    _add_settings(parser)


def _with_operate(verb: Callable[[Call, Operate], None]) -> Callable[[Call], None]:
    return lambda call: verb(call, _operate)


COMMANDS = (
    Command("serve", serve, "run the room (the default)", _add_settings),
    Command(
        "create-admin",
        _with_operate(member_commands.create_admin),
        "create an administrator, or make an existing member one",
        member_commands.add_create_admin,
    ),
    Command(
        "reset-password",
        _with_operate(member_commands.reset_password),
        "set a member's password and end that member's sessions",
        member_commands.add_reset_password,
    ),
    Command(
        "list-members",
        _with_operate(member_commands.list_members),
        "list the members with role, creation time, last activity and state",
        member_commands.add_list_members,
    ),
    Command(
        "invite",
        _with_operate(member_commands.invite),
        "create an invitation and print its link",
        member_commands.add_invite,
    ),
    Command("backup", _with_operate(verbs.backup), "write database, media and secrets to an archive", verbs.add_backup),
    Command("restore", verbs.restore, "replace the room with the contents of a backup archive", verbs.add_restore),
    Command("export", _with_operate(verbs.export), "write all stored data as JSON lines", verbs.add_export),
    Command("doctor", verbs.doctor, "check the installation and report problems", _add_doctor),
    Command("version", version, "print the version", _add_json),
    Command("settings", settings, "print every setting with its value and source", _add_settings_command),
)


class _Parser(argparse.ArgumentParser):
    """argparse, but an error is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{logs.one_line(f'chatserver: {message}; see {self.prog} --help')}\n")


def _parser() -> _Parser:
    parser = _Parser(prog="chatserver", description="A chat room on one host.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chatserver {__version__}")
    data_dir = next(setting for setting in SETTINGS if setting.name == "data_dir")
    _add_setting(parser, data_dir)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        verb = verbs.add_parser(
            command.name,
            help=command.help,
            description=command.help[0].upper() + command.help[1:] + ".",
            allow_abbrev=False,
        )
        verb.set_defaults(run=command.run)
        _add_setting(verb, data_dir)
        command.add(verb)
    return parser


def _add_setting(parser: argparse._ActionsContainer, setting: Setting) -> None:
    help = f"{setting.help} (default: {setting.default or 'empty'}; variable: {setting.variable})"
    parser.add_argument(
        setting.flag,
        dest="setting_" + setting.name,
        metavar="VALUE",
        # A flag before the command must not be undone by the command's own default.
        default=argparse.SUPPRESS,
        help=help.replace("%", "%%"),
    )


def _with_command(parser: _Parser, argv: Sequence[str]) -> list[str]:
    """`argv` with `serve` put before it where it names no command: `run.py --port 0` serves."""
    position = 0
    while position < len(argv) and argv[position].partition("=")[0] == "--data-dir":
        position += 1 if "=" in argv[position] else 2
    word = argv[position] if position < len(argv) else ""
    if word in ("-h", "--help", "--version"):
        return list(argv)
    if not word or word.startswith("-"):
        return ["serve", *argv]
    known = [command.name for command in COMMANDS]
    if word not in known:
        parser.error(f"unknown command {word!r}; the commands are {', '.join(known)}")
    return list(argv)


def _flags(arguments: argparse.Namespace) -> dict[str, str | None]:
    return {setting.name: getattr(arguments, "setting_" + setting.name, None) for setting in SETTINGS}


def _with_the_rooms_words(call: Call) -> tuple[Config, dict[str, str]]:
    """The settings in force and their sources: the administrators' word wins, where a room has begun."""
    if not (call.config.data_dir / "chat.db").is_file():
        return call.config, call.sources
    words: dict[str, str] = _operate(call, "settings", {})["words"]
    config, wrong = overridden(call.config, words)
    return config, call.sources | {name: "room" for name in words if name not in wrong}


def _operate(call: Call, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """An operator's command, carried out by the running server or, where none runs, on the files."""
    from chatserver.ops.control.client import operate

    return _carry_out(operate(call.config, command, arguments))


def _carry_out(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns. Raises Failure when it cannot be done; a DomainError goes to the caller."""
    from chatserver.db.data_lock import DataLocked
    from chatserver.db.migrations import DatabaseUnusable
    from chatserver.ops.control.client import Unreachable

    try:
        return asyncio.run(work)
    except DatabaseUnusable as error:
        raise CommandError(str(error), EXIT_DATABASE) from None
    except Unreachable as error:
        raise CommandError(str(error)) from None
    except DataLocked as error:
        raise CommandError(f"{error}: another process is using this data directory") from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(_os_error_text(error)) from None


def _words(refusal: DomainError) -> str:
    from chatserver.i18n import explain

    return explain("en", refusal.code, refusal.details)


def _os_error_text(error: OSError) -> str:
    """Without the number, and with the file: "cannot use /srv/chat: permission denied"."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return reason
    return f"cannot use {os.fsdecode(error.filename)}: {reason}"


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _setting_json(setting: Setting, value: Any, source: str) -> dict[str, Any]:
    return {
        "name": setting.name,
        "variable": setting.variable,
        "flag": setting.flag,
        "default": _plain(setting.parse(setting.default)),
        "value": _plain(_printed(setting, value)),
        "source": source,
        "help": setting.help,
    }


def _printed(setting: Setting, value: Any) -> Any:
    """A secret is not shown, only that there is one."""
    return "(set)" if setting.is_secret and value else value


def _plain(value: Any) -> int | float | str | list[str]:
    """A setting's value in JSON's own types."""
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return value if isinstance(value, int | float) else str(value)


def _complain(message: str, code: int) -> int:
    print(logs.one_line(f"chatserver: {message}"), file=sys.stderr)
    return code


def _print_what_cannot_be_encoded() -> None:
    """A room's Chinese name on a terminal that knows only ASCII is shown escaped, not a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
