"""The verbs of the command line that concern the room as a whole: their flags, and what they print."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chatserver.ops.call import Call, Operate
from chatserver.ops.failure import EXIT_DATABASE, EXIT_REFUSED, CommandError

# Where `--html` names no file: beside the JSON lines.
_BESIDE = ""


def add_backup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="archive to write; .gz or .tgz: compressed")
    _add_force(parser, "overwrite FILE if it exists")
    _add_json(parser)


def backup(call: Call, operate: Operate) -> None:
    from chatserver.ops.backup import backup

    target: Path = call.arguments.file.absolute()
    done = _on_the_database(
        call, lambda: backup(call.config, target, force=call.arguments.force, operate=_asker(call, operate))
    )
    if call.arguments.json:
        _print_json(done)
        return
    print(f"{target}: {done['messages']} messages and {done['media']} pictures in {done['bytes']:,} bytes")
    if done["missing"]:
        _warn(f"{len(done['missing'])} pictures that messages refer to are missing from the media directory")


def add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="archive written by `backup`")
    _add_force(parser, "also if the data directory is not empty; its contents are kept in a directory beside it")
    _add_json(parser)


def restore(call: Call) -> None:
    from chatserver.ops.restore import restore

    done = restore(call.config.data_dir, call.arguments.file, force=call.arguments.force)
    if call.arguments.json:
        _print_json(done)
        return
    what = f"{done['messages']} messages and {done['media']} pictures"
    print(f"{done['data_dir']}: restored as of {done['created']}, {what}")
    if done["kept"]:
        print(f"the previous contents are kept in {done['kept']}")


def add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="file to write, one JSON object per line")
    parser.add_argument(
        "--html",
        metavar="PAGE",
        nargs="?",
        const=_BESIDE,
        help="also write an HTML page, its pictures in a directory beside it (default: FILE with .html)",
    )
    _add_force(parser, "overwrite existing files")
    _add_json(parser)


def export(call: Call, operate: Operate) -> None:
    from chatserver.ops.export import export

    target: Path = call.arguments.file.absolute()
    html: str | None = call.arguments.html
    page = None if html is None else Path(html).absolute() if html else target.with_suffix(".html")
    done = _on_the_database(
        call, lambda: export(call.config, target, page, force=call.arguments.force, operate=_asker(call, operate))
    )
    if call.arguments.json:
        _print_json(done)
        return
    print(f"{target}: {done['messages']} messages, {done['lines']} lines")
    if page:
        print(f"{page}: HTML page")


def add_doctor(parser: argparse.ArgumentParser) -> None:
    _add_json(parser)


def doctor(call: Call) -> None:
    from chatserver.ops.doctor import examine, told

    findings = examine(call.config)
    if call.arguments.json:
        _print_json([finding.as_json() for finding in findings])
    else:
        print(told(findings))
    sys.stdout.flush()
    if any(finding.is_problem for finding in findings):
        sys.exit(EXIT_REFUSED)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_force(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--force", action="store_true", help=help)


def _asker(call: Call, operate: Operate) -> Callable[[str], dict[str, Any]]:
    return lambda command: operate(call, command, {})


def _on_the_database(call: Call, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return work()
    except sqlite3.Error as error:
        raise CommandError(f"{call.config.data_dir / 'chat.db'}: {error}", EXIT_DATABASE) from None


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _warn(message: str) -> None:
    print(f"chatserver: {message}", file=sys.stderr)
