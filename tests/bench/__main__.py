"""The command: `python -m tests.bench [ROW …] [--turns N] [--quick] [--json] [--against TREE [--worse-than N]]`."""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.bench import against, photographs, report, server
from tests.bench.against import Comparison
from tests.bench.bench import Bench, Row, tell
from tests.bench.machine import QUIET, Cores, Others, describe, pin, raise_descriptors
from tests.bench.processes import REPOSITORY
from tests.bench.results import Result
from tests.bench.rows import ROWS

TURNS = 5
MEMBERS, MEMBERS_WHEN_QUICK = 500, 100
COMPARABLE = [row for row in ROWS if row.comparable is not None]


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _arguments(arguments)
    cores = Cores.choose()
    machine = describe(cores)
    pin(cores.load)
    # The load makes almost no reference cycles, and a garbage collection in the middle of a turn would be a pause.
    gc.disable()
    with tempfile.TemporaryDirectory(prefix="chat-bench-") as directory:
        if asked.against:
            return _compare(asked, machine, cores, Path(directory))
        return _measure(asked, machine, cores, Path(directory))


def _measure(asked: argparse.Namespace, machine: str, cores: Cores, work: Path) -> int:
    bench = _prepare(asked, REPOSITORY, cores, work, asked.turns or (1 if asked.quick else TURNS))
    found: list[tuple[Row, Result]] = []
    for row in _rows(asked, ROWS):
        tell(f"row {row.number}: {row.title}")
        started, others = time.perf_counter(), Others()
        result = row.run(bench)
        share = others.share()
        tell(f"row {row.number} took {time.perf_counter() - started:.0f} s; others used {share:.0%} of the machine")
        if share > QUIET:
            result.notes.append(f"disturbed: other processes used {share:.0%} of the machine meanwhile.")
        found.append((row, result))
        gc.collect()
    if asked.json:
        print(report.as_json(machine, bench.turns, found))
    else:
        print(report.as_table(machine, bench.turns, asked.quick, found))
    return 0


def _compare(asked: argparse.Namespace, machine: str, cores: Cores, work: Path) -> int:
    """Returns 1 if a figure of a row is worse than allowed."""
    # Each tree registers its members with its own server, because an older server cannot open a database of a newer
    # schema.
    this = _prepare(asked, REPOSITORY, cores, work / "this", asked.turns)
    other = _prepare(asked, asked.against, cores, work / "other", asked.turns)
    found: list[Comparison] = []
    notes: list[str] = []
    for row in _rows(asked, COMPARABLE):
        tell(f"row {row.number}: {row.title}")
        started = time.perf_counter()
        turns = asked.turns or (1 if asked.quick else row.turns)
        lines, remarks = against.compare(row, this, other, turns)
        # Print each row at once, so that a comparison that is stopped early has shown its results so far.
        tell("\n".join(map(against.as_line, lines)))
        tell(f"row {row.number} took {time.perf_counter() - started:.0f} s")
        found += lines
        notes += [f"- Row {row.number}: {remark}" for remark in remarks]
    print(against.as_json(machine, found) if asked.json else "\n".join([against.as_table(machine, found), "", *notes]))
    worse = against.worse_lines(found, asked.worse_than) if asked.worse_than is not None else []
    for line in worse:
        tell(line)
    return 1 if worse else 0


def _prepare(asked: argparse.Namespace, tree: Path, cores: Cores, work: Path, turns: int) -> Bench:
    count = MEMBERS_WHEN_QUICK if asked.quick else MEMBERS
    work.mkdir(exist_ok=True)
    tell(f"registering {count} members with the server of {tree}")
    data = work / "prepared"
    members = server.prepare(tree, work, cores, data, count)
    return Bench(turns, asked.quick, cores, tree, work, raise_descriptors(), data, members, asked.photographs)


def _rows(asked: argparse.Namespace, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if not asked.rows or row.number in asked.rows]


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    rows = "\n".join(f"  {row.number:>2}  {row.title}" for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures the real server and its floors, in turns, each on a core of its own.",
        epilog=f"rows:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="which rows; all of them without")
    parser.add_argument("--turns", type=int, default=0, metavar="N", help=f"turns of each row, {TURNS} without")
    parser.add_argument("--quick", action="store_true", help="one short turn: shows that it works, measures little")
    parser.add_argument("--json", action="store_true", help="every turn's figures, as JSON")
    parser.add_argument(
        "--against",
        type=Path,
        metavar="TREE",
        help="compare with another checkout instead of the floors, in at least 8 turns without --turns",
    )
    parser.add_argument(
        "--photographs",
        type=Path,
        metavar="DIRECTORY",
        help=f"the unpacked Debian package {photographs.PACKAGE}, for row 12; without it that uploads a drawing",
    )
    parser.add_argument(
        "--worse-than", type=float, metavar="PERCENT", help="end with 1 when a figure is worse by more than that"
    )
    asked = parser.parse_args(arguments)
    known = {row.number for row in (COMPARABLE if asked.against else ROWS)}
    if unknown := set(asked.rows) - known:
        parser.error(f"no such row{' to compare' if asked.against else ''}: {', '.join(map(str, sorted(unknown)))}")
    if asked.turns < 0:
        parser.error("--turns must be at least 1")
    if asked.photographs and (lacking := photographs.missing(asked.photographs)):
        parser.error(f"--photographs: {asked.photographs} has no {', '.join(lacking)}")
    if asked.against:
        asked.against = asked.against.resolve()
        if not (asked.against / "run.py").is_file():
            parser.error(f"--against: {asked.against} is not a checkout of the project")
        if 0 < asked.turns < against.LEAST_TURNS and not asked.quick:
            parser.error(f"--against takes at least {against.LEAST_TURNS} turns, fewer only with --quick")
    elif asked.worse_than is not None:
        parser.error("--worse-than goes with --against")
    return asked


if __name__ == "__main__":
    sys.exit(main())
