"""Formats the table as Markdown for docs/performance.md, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from tests.bench.bench import Row
from tests.bench.results import Line, Result

_HEADER = ("row", "what", "server", "lowest to highest turn", "floor", "ratio", "must reach", "")


def as_table(machine: str, turns: int, is_quick: bool, found: Sequence[tuple[Row, Result]]) -> str:
    rows: list[tuple[str, ...]] = [_HEADER]
    notes = []
    for row, result in found:
        rows += [(str(row.number), *_cells(line)) for line in result.lines]
        notes += [f"- Row {row.number}: {note}" for note in result.notes]
    kind = "a quick run, which shows only that the rows work" if is_quick else "medians"
    return "\n".join([f"{machine}; {kind} of {turns} turn{'s' if turns != 1 else ''}.", "", *table(rows), "", *notes])


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown; the first row is the header."""
    header, *rest = rows
    return ["| " + " | ".join(cells) + " |" for cells in (header, ["---"] * len(header), *rest)]


def as_json(machine: str, turns: int, found: Sequence[tuple[Row, Result]]) -> str:
    rows = [
        {
            "row": row.number,
            "title": row.title,
            "lines": [
                {**asdict(line), "value": line.value, "ratio": line.ratio, "holds": line.holds} for line in result.lines
            ],
            "notes": result.notes,
        }
        for row, result in found
    ]
    return json.dumps({"machine": machine, "turns": turns, "rows": rows}, indent=1)


def _cells(line: Line) -> tuple[str, ...]:
    span = f"{number(min(line.turns))} to {number(max(line.turns))}" if len(line.turns) > 1 else ""
    floor = "" if line.floor_value is None else f"{number(line.floor_value)} ({line.floor})"
    ratio = "" if line.ratio is None else f"{line.ratio:.2f}"
    goal = "" if line.goal is None else str(line.goal)
    verdict = {None: "", True: "yes", False: "**no**"}[line.holds]
    return (line.what, f"{number(line.value)} {line.unit}".strip(), span, floor, ratio, goal, verdict)


def number(value: float) -> str:
    """Three significant digits, with a separator of thousands."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
