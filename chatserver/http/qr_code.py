"""An address as a QR code (ISO/IEC 18004), as the data of an SVG path."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

# The quiet zone around the modules that readers need, in modules (section 5.3.8).
BORDER = 4


@dataclass(frozen=True, slots=True)
class QRCode:
    """`size` in modules, with the border; `path`: its dark modules, as `d` of an SVG path whose strokes are 1 wide."""

    size: int
    path: str


def qr_code(text: str) -> QRCode:
    """The QR code of a text. Raises ValueError if the text is too long for the largest symbol (about 2,300 bytes)."""
    import segno  # only the pages of invitations and password links need it

    rows = [bytes(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=BORDER)]
    return QRCode(len(rows), "".join(_strokes(row, y) for y, row in enumerate(rows)))


def _strokes(row: bytes, y: int) -> str:
    """A horizontal line for each run of dark modules."""
    strokes, x = "", 0
    for is_dark, run in groupby(row):
        length = len(list(run))
        if is_dark:
            strokes += f"M{x} {y}.5h{length}"
        x += length
    return strokes
