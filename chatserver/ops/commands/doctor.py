"""`chatserver doctor`: check the installation; exit code 1 if there is a problem."""

from __future__ import annotations

import argparse
import sys

from chatserver.ops.call import Call
from chatserver.ops.command import Command
from chatserver.ops.failure import EXIT_REFUSED
from chatserver.ops.options import add_json, add_settings
from chatserver.ops.output import print_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_json(parser)
    add_settings(parser)


def run(call: Call) -> None:
    from chatserver.ops.doctor import as_text, run_checks

    findings = run_checks(call.config)
    if call.arguments.json:
        print_json([finding.as_json() for finding in findings])
    else:
        print(as_text(findings))
    sys.stdout.flush()
    if any(finding.is_problem for finding in findings):
        sys.exit(EXIT_REFUSED)


COMMAND = Command("doctor", "check the installation and print what is wrong", add_arguments, run, position=9)
