"""`chatserver export FILE`: write all stored data as JSON lines, and the messages as a page to read."""

from __future__ import annotations

import argparse
from pathlib import Path

from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.options import add_force, add_json
from chatserver.ops.output import print_json

# The value of `--html` without a file name, which writes the page beside the JSON lines.
_BESIDE = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="file to write, one JSON object per line")
    parser.add_argument(
        "--html",
        metavar="PAGE",
        nargs="?",
        const=_BESIDE,
        help="also write an HTML page, its pictures in a directory beside it (default: FILE with .html)",
    )
    add_force(parser, "overwrite existing files")
    add_json(parser)


def run(call: Call) -> None:
    from chatserver.ops.export import export

    target: Path = call.arguments.file.absolute()
    html: str | None = call.arguments.html
    page = None if html is None else Path(html).absolute() if html else target.with_suffix(".html")
    with call.database_errors():
        done = export(call, target, page, force=call.arguments.force)
    if call.arguments.json:
        print_json(done)
        return
    print(f"{target}: {done['messages']} messages, {done['lines']} lines")
    if page:
        print(f"{page}: HTML page")


COMMAND = Command("export", "write all stored data as JSON lines", add_arguments, run, position=8)
