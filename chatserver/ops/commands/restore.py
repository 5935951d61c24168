"""`chatserver restore FILE`: replace the data directory by the content of a backup."""

from __future__ import annotations

import argparse
from pathlib import Path

from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.options import add_force, add_json
from chatserver.ops.output import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="an archive that `backup` wrote")
    add_force(parser, "restore also where the data directory is not empty; what is there is kept beside it")
    add_json(parser)


def run(call: Call) -> None:
    from chatserver.ops.restore import restore

    done = restore(call.config.data_dir, call.arguments.file, force=call.arguments.force)
    if call.arguments.json:
        print_json(done)
        return
    what = f"{done['messages']} messages and {done['media']} pictures"
    print(f"{done['data_dir']}: restored as of {done['created']}, {what}")
    if done["kept"]:
        print(f"the previous contents are kept in {done['kept']}")


COMMAND = Command("restore", "replace the data directory by what an archive holds", add_arguments, run, position=7)
