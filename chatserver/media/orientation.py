"""Finds the orientation as browsers do, so that the room shows what the sender saw in the preview.

Chromium 156 and Firefox 140 rotate a JPEG and a PNG by EXIF, and a still AVIF by its own properties (`irot`, `imir`).
No browser rotates a WebP or an animation, or uses the orientation in XMP. docs/pictures.md has the table.
"""

from __future__ import annotations

import struct

from PIL import Image

from chatserver.media.headers import Kind

# EXIF orientation (Exif 2.3, section 4.6.4, tag 0x0112) -> the transposition that makes the image upright.
_ORIENTATION = 0x0112
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The errors that Pillow 13.0 raises for damaged EXIF. Its JpegImagePlugin catches the same errors, except OSError, when
# it reads the resolution.
_DAMAGED_EXIF = (struct.error, KeyError, OSError, SyntaxError, TypeError, ValueError)
# Pillow gives an AVIF's own properties as an EXIF orientation. A TIFF (by Pillow) and a HEIC (by pi-heif) are rotated
# when they are decoded.
_TURNED_KINDS = frozenset((Kind.JPEG, Kind.PNG, Kind.AVIF))


def transposition(kind: Kind, image: Image.Image) -> Image.Transpose | None:
    """The transposition of a still picture; call it before decoding.

    Ignores damaged EXIF, which is common in valid photographs.
    """
    if kind not in _TURNED_KINDS:
        return None
    try:
        return _TRANSPOSITIONS.get(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGED_EXIF:
        return None
