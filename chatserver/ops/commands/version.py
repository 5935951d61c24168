"""`chatserver version`."""

from __future__ import annotations

from chatserver import __version__
from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.options import add_json
from chatserver.ops.output import print_json


def run(call: Call) -> None:
    if call.arguments.json:
        print_json({"version": __version__})
    else:
        print(f"chatserver {__version__}")


COMMAND = Command("version", "print the version", add_json, run, position=10)
