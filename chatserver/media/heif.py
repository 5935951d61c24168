"""Decodes a large HEIC in less memory than Pillow needs.

For a picture of 48 megapixels pi-heif needs 146 MB; Pillow would need 195 MB more.
"""

from __future__ import annotations

import importlib
from io import BytesIO

from PIL import Image

_STRIP_ROWS = 256


def reduced(data: bytes, factor: int) -> Image.Image:
    """Decode the primary picture, upright, RGB or RGBA, and reduce its sides by an integer `factor`, strip by strip.

    The reduction is a box filter. Raises what pi-heif raises for a damaged file; the extra `heic` must be installed.
    """
    picture = importlib.import_module("pi_heif").open_heif(BytesIO(data), convert_hdr_to_8bit=True)
    mode = picture.mode
    pixels, (width, height), stride = memoryview(picture.data), picture.size, picture.stride
    found = Image.new(mode, (-(-width // factor), -(-height // factor)))
    rows = _STRIP_ROWS // factor * factor
    for top in range(0, height, rows):
        size = width, min(rows, height - top)
        data = bytes(pixels[top * stride : (top + size[1]) * stride])
        strip = Image.frombuffer(mode, size, data, "raw", mode, stride, 1)
        found.paste(strip.reduce(factor), (0, top // factor))
    return found
