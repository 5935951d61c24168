"""Draws small line charts as SVG paths, which the page shows without a script and without an inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 240
HEIGHT = 48


@dataclass(frozen=True, slots=True)
class Chart:
    """`line` and `area` are `d` attributes of paths in a box of WIDTH by HEIGHT; "" for fewer than two values."""

    line: str
    area: str


def chart(values: Sequence[float], slots: int, least_top: float) -> Chart:
    """Draw a chart. The newest value is at the right edge; `slots` values fill the width.

    The top of the box is the largest value, but at least `least_top`, so that a quiet hour is a flat line.
    """
    if len(values) < 2:
        return Chart("", "")
    top = max(*values, least_top)
    step = WIDTH / (slots - 1)
    first_x = WIDTH - step * (len(values) - 1)
    # A margin of one unit above and below, so that the box does not cut the width of the line.
    points = [
        f"{first_x + step * index:.1f},{HEIGHT - 1 - (HEIGHT - 2) * value / top:.1f}"
        for index, value in enumerate(values)
    ]
    line = "M" + " L".join(points)
    return Chart(line, f"{line} L{WIDTH},{HEIGHT} L{first_x:.1f},{HEIGHT} Z")
