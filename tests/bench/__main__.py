"""The command: `python -m tests.bench [ROW …] [--turns N] [--quick] [--json]`."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from pathlib import Path

from tests.bench import report, server
from tests.bench.bench import Bench, tell
from tests.bench.machine import Cores, Others, describe, pin, raise_descriptors
from tests.bench.results import Result
from tests.bench.rows import ROWS

TURNS = 5
MEMBERS, MEMBERS_WHEN_QUICK = 500, 100
# Of the machine: what others may use before a row says that it was disturbed.
QUIET = 0.05


def main() -> int:
    asked = _arguments()
    cores = Cores.choose()
    machine = describe(cores)
    pin(cores.load)
    descriptors = raise_descriptors()
    # The load makes no cycles worth looking for, and a collection in the middle of a turn is a pause.
    gc.disable()
    found: dict[int, Result] = {}
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as directory:
        work = Path(directory)
        count = MEMBERS_WHEN_QUICK if asked.quick else MEMBERS
        tell(f"registering {count} members")
        members = server.prepare(work, cores, work / "prepared", count)
        turns = asked.turns or (1 if asked.quick else TURNS)
        bench = Bench(turns, asked.quick, cores, work, descriptors, work / "prepared", members)
        for row in ROWS:
            if asked.rows and row.number not in asked.rows:
                continue
            tell(f"row {row.number}: {row.title}")
            started, others = time.perf_counter(), Others()
            found[row.number] = result = row.run(bench)
            share = others.share()
            tell(f"row {row.number} took {time.perf_counter() - started:.0f} s; others used {share:.0%} of the machine")
            if share > QUIET:
                result.notes.append(f"disturbed: other processes used {share:.0%} of the machine meanwhile.")
            gc.collect()
    shown = [(row, found[row.number]) for row in ROWS if row.number in found]
    print(report.as_json(machine, turns, shown) if asked.json else report.as_table(machine, turns, asked.quick, shown))
    return 0


def _arguments() -> argparse.Namespace:
    rows = "\n".join(f"  {row.number:>2}  {row.title}" for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures the real server and its floors, in turns, each on a core of its own.",
        epilog=f"rows:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    numbers = {row.number for row in ROWS}
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="which rows; all of them without")
    parser.add_argument("--turns", type=int, default=0, metavar="N", help=f"turns of each row, {TURNS} without")
    parser.add_argument("--quick", action="store_true", help="one short turn: shows that it works, measures little")
    parser.add_argument("--json", action="store_true", help="every turn's figures, as JSON")
    asked = parser.parse_args()
    if unknown := set(asked.rows) - numbers:
        parser.error(f"no such row: {', '.join(map(str, sorted(unknown)))}")
    if asked.turns < 0:
        parser.error("--turns must be at least 1")
    return asked


if __name__ == "__main__":
    sys.exit(main())
