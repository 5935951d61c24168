"""The command line: `run.py`, `chatserver` and `python -m chatserver` all call `main`.

An error is one line on standard error and an exit code: 1 if a rule or the machine refused the command, 2 for a
wrong flag or setting, 78 if the database cannot be used (EX_CONFIG: a service manager need not try again). The
commands are in ops/commands/.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from chatserver import __version__
from chatserver.core import logs
from chatserver.core.config import SETTINGS, ConfigError, load
from chatserver.core.errors import DomainError
from chatserver.ops import credentials, signals
from chatserver.ops.call import Call
from chatserver.ops.commands import find_commands
from chatserver.ops.failure import EXIT_INTERRUPTED, EXIT_OK, EXIT_REFUSED, EXIT_USAGE, CommandError
from chatserver.ops.options import add_setting, setting_flags
from chatserver.ops.output import print_error

COMMANDS = find_commands()


def main(argv: list[str] | None = None) -> int:
    """Run the program with `argv`, or with the command line. Returns the exit code."""
    _escape_unencodable_output()
    parser = _parser()
    try:
        arguments = parser.parse_args(_with_command(parser, sys.argv[1:] if argv is None else argv))
        config, sources = load(setting_flags(arguments), {**credentials.variables(os.environ), **os.environ})
        call = Call(arguments, config, sources)
        # `serve` has its own signal handlers, because its shutdown takes several steps.
        with contextlib.nullcontext() if arguments.command == "serve" else signals.raise_on_signal():
            arguments.run(call)
        print(end="", flush=True)
        return EXIT_OK
    except SystemExit as exit:  # from argparse after --help and after an error, and from `serve` and `doctor`
        return exit.code if isinstance(exit.code, int) else EXIT_OK
    except ConfigError as error:
        return _fail(str(error), EXIT_USAGE)
    except CommandError as failure:
        return _fail(str(failure), failure.code)
    except DomainError as refusal:
        return _fail(_explanation(refusal), EXIT_REFUSED)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader has closed the pipe: `settings | head` does this
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_REFUSED
    except OSError as error:
        return _fail(_os_error_text(error), EXIT_REFUSED)


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that prints an error as one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{logs.escape_unprintable(f'chatserver: {message}; see {self.prog} --help')}\n")


def _parser() -> _Parser:
    parser = _Parser(prog="chatserver", description="A chat room on one host.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"chatserver {__version__}")
    data_dir = next(setting for setting in SETTINGS if setting.name == "data_dir")
    add_setting(parser, data_dir)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.name,
            help=command.help,
            description=command.help[0].upper() + command.help[1:] + ".",
            allow_abbrev=False,
        )
        subparser.set_defaults(run=command.run, command=command.name)
        add_setting(subparser, data_dir)
        command.add_arguments(subparser)
    return parser


def _with_command(parser: _Parser, argv: Sequence[str]) -> list[str]:
    """Put `serve` before `argv` if `argv` names no command, so that `run.py --port 0` serves."""
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


def _explanation(refusal: DomainError) -> str:
    from chatserver.i18n import explain

    return explain("en", refusal.code, refusal.details)


def _os_error_text(error: OSError) -> str:
    """The text of the error with the name of its file and without its number: "cannot use /srv/chat: permission
    denied"."""
    reason = error.strerror or str(error) or type(error).__name__
    if error.filename is None:
        return reason
    return f"cannot use {os.fsdecode(error.filename)}: {reason}"


def _fail(message: str, code: int) -> int:
    print_error(message)
    return code


def _escape_unencodable_output() -> None:
    """On a terminal that shows only ASCII, escape other characters (a Chinese room name) instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
