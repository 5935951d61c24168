"""`chatserver backup FILE`: write the database, the pictures and the secrets into one archive."""

from __future__ import annotations

import argparse
from pathlib import Path

from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.options import add_force, add_json
from chatserver.ops.output import print_error, print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="archive to write; .gz or .tgz: compressed")
    add_force(parser, "overwrite FILE if it exists")
    add_json(parser)


def run(call: Call) -> None:
    from chatserver.ops.backup import backup

    target: Path = call.arguments.file.absolute()
    with call.database_errors():
        done = backup(call, target, force=call.arguments.force)
    if call.arguments.json:
        print_json(done)
        return
    print(f"{target}: {done['messages']} messages and {done['media']} pictures in {done['bytes']:,} bytes")
    if done["missing"]:
        print_error(f"{len(done['missing'])} pictures that messages name were missing already")


COMMAND = Command("backup", "write database, media and secrets to an archive", add_arguments, run, position=6)
