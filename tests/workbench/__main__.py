"""`python -m tests.workbench [ROW …] [--share 0.1]`: runs the long rows, and prints the results as a table."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path

from tests.workbench.rows import ROWS, Row


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.workbench", description=__doc__)
    names = ", ".join(row.name for row in ROWS)
    parser.add_argument("rows", nargs="*", help=f"which: {names}; all but readers-50000 where none is named")
    parser.add_argument("--share", type=float, default=1.0, help="how much of the full length, 0.01 to 1 (default 1)")
    asked = parser.parse_args()
    unknown = set(asked.rows) - {row.name for row in ROWS}
    if unknown or not 0.01 <= asked.share <= 1:
        parser.error(f"no such row: {', '.join(sorted(unknown))}" if unknown else "--share is 0.01 to 1")
    machine = f"{os.cpu_count()} cores, {_memory_gib():.0f} GiB"
    print(f"{datetime.now(UTC):%Y-%m-%d}; {machine}; {asked.share:g} of full length\n")
    print("| row | what | seconds | figures | holds |\n| --- | --- | --- | --- | --- |", flush=True)
    pinned = [_done(row, asked.share) for row in ROWS if row.name in asked.rows or not (asked.rows or row.by_name)]
    return 0 if all(pinned) else 1


def _done(row: Row, share: float) -> bool:
    """Run a row and print its line. False if a promise was broken, which is printed on standard error."""
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="workbench-") as directory:
        try:
            figures = asyncio.run(_in_its_own_place(row, Path(directory), share))
            told = ", ".join(f"{name} {value:,.6g}" for name, value in figures.items())
            broken = row.broken(figures) if share == 1 else []
            holds = f"**no**: {', '.join(broken)}" if broken else "yes"
        except Exception:
            traceback.print_exc(file=sys.stderr)
            told, holds = "", "**no**"
    print(f"| {row.name} | {row.what} | {time.perf_counter() - begun:,.0f} | {told} | {holds} |", flush=True)
    return holds == "yes"


async def _in_its_own_place(row: Row, directory: Path, share: float):  # type: ignore[no-untyped-def]
    return await row.measure(directory, share)


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


if __name__ == "__main__":
    raise SystemExit(main())
