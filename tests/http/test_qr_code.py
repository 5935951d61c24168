"""The QR code of an address, decoded here: finder patterns, quiet zone, and the same modules as segno's."""

from __future__ import annotations

import re

import segno

from chatserver.http.qr_code import BORDER, qr_code


def test_the_path_is_the_symbol() -> None:
    address = "https://room.example/register/?invite=AbCdEfGhIjKlMnOpQrStUv"
    code = qr_code(address)
    dark = {
        (int(x) + i, int(y)) for x, y, run in re.findall(r"M(\d+) (\d+)\.5h(\d+)", code.path) for i in range(int(run))
    }
    wanted = segno.make(address, error="m", micro=False).matrix
    assert code.size == len(wanted) + 2 * BORDER
    assert dark == {(x + BORDER, y + BORDER) for y, row in enumerate(wanted) for x, module in enumerate(row) if module}
