"""Small line charts as SVG paths: the page draws them without a script, and without an inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 240
HEIGHT = 48


@dataclass(frozen=True, slots=True)
class Chart:
    """`line` and `area` are the `d` of a path each, in a box of WIDTH by HEIGHT; "" where there is nothing yet."""

    line: str
    area: str


def chart(values: Sequence[float], slots: int, least_top: float) -> Chart:
    """The newest value stands at the right edge, `slots` of them fill the width.

    The top is the largest value, but never less than `least_top`: a room in which nothing happens
    must not look like a mountain range.
    """
    if len(values) < 2:
        return Chart("", "")
    top = max(*values, least_top)
    step = WIDTH / (slots - 1)
    first_x = WIDTH - step * (len(values) - 1)
    # One unit of air above and below, so that the line's own width is not cut.
    points = [
        f"{first_x + step * index:.1f},{HEIGHT - 1 - (HEIGHT - 2) * value / top:.1f}"
        for index, value in enumerate(values)
    ]
    line = "M" + " L".join(points)
    return Chart(line, f"{line} L{WIDTH},{HEIGHT} L{first_x:.1f},{HEIGHT} Z")
