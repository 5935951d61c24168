"""The photographs of row 12: those of Debian's package lomiri-wallpapers-16.04, or a drawing without the package.

The rules of the pictures were tuned on these and other photographs of that package (docs/performance.md, "Pictures").
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.bench.leaves import dead_leaves

PACKAGE = "lomiri-wallpapers-16.04"
# The directory of the photographs in the unpacked package.
FOLDER = "usr/share/backgrounds"
DRAWING_SIZE = (4000, 3000)


class Photograph(NamedTuple):
    title: str
    author: str
    licence: str
    file: str

    @property
    def words(self) -> str:
        return f"{self.title} by {self.author}, {self.licence}"


PHOTOGRAPHS = (
    Photograph("Dragonfly", "Bolly", "CC-BY-SA-4.0", "Dragonfly_by_Bolly.jpg"),
    Photograph("sunset", "Aitzol Berasategi", "CC-BY-4.0", "sunset_by_Aitzol_Berasategi.jpg"),
    Photograph("seeding", "Clemens Engelhardt", "CC0-1.0", "seeding_by_Clements_Engelhardt.jpg"),
)


def missing(package: Path) -> list[str]:
    """The files that are missing in the unpacked package."""
    return [each.file for each in PHOTOGRAPHS if not (package / FOLDER / each.file).is_file()]


def sources(package: Path | None, work: Path) -> list[tuple[str, Path]]:
    """The description and the file of the picture to upload. Without the package it is a drawing, made in `work` once
    for all turns."""
    if package is not None:
        return [
            (f"{each.title} by {each.author}, {each.licence}", package / FOLDER / each.file) for each in PHOTOGRAPHS
        ]
    drawing = work / "photo.jpg"
    if not drawing.exists():
        dead_leaves(*DRAWING_SIZE).save(drawing, "JPEG", quality=92)
    return [("a drawing", drawing)]
