"""Decodes the first picture of a file, in sRGB, upright, no larger than requested, without metadata."""

from __future__ import annotations

import math
from typing import NamedTuple

from PIL import Image

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import colour, heif
from chatserver.media.headers import Kind
from chatserver.media.open_checked import PIXELS_MAX, Source
from chatserver.media.orientation import transposition

# The formats of cameras. Screenshots and drawings are mostly in other formats.
PHOTOGRAPH_KINDS = frozenset((Kind.JPEG, Kind.HEIF, Kind.AVIF))

# A draft of at least this share of the wanted side length is used as it is. For example, 4000 and 4032 px are halved to
# about 2000 px.
_DRAFT_SHARE = 1920 / 2048
# A HEIC of at most this number of pixels is decoded by Pillow; a larger one by heif.py.
HEIF_AT_ONCE = 16_000_000


class Decoded(NamedTuple):
    """A picture with the colours and the orientation of its file, in 8 bits a channel."""

    image: Image.Image
    space: colour.ColourSpace
    turn: Image.Transpose | None

    def shown(self, side: int) -> Image.Image:
        """Convert to RGB or RGBA of at most `side` px on the long side, in sRGB, upright, without metadata."""
        shown = colour.to_srgb(shrunk(self.image, side), self.space)
        return without_metadata(shown if self.turn is None else shown.transpose(self.turn))


def load(source: Source, side: int) -> Image.Image:
    """Decode to RGB or RGBA of at most `side` px on the long side.

    Raises DomainError: `image_unreadable`, `image_too_large`.
    """
    return decoded(source, side).shown(side)


def decoded(source: Source, side: int) -> Decoded:
    """Decode the picture, with at least `draft_min(side)` px on the long side if the file has that many.

    Raises as `load` does.
    """
    image = source.image
    if source.kind is Kind.JPEG:
        _draft(image, side)
    space = colour.colour_space(source.kind, source.file.data, image)
    turn = transposition(source.kind, image)
    return Decoded(source.file.without_missing(to_eight_bits(_decoded(source, side))), space, turn)


def draft_min(side: int) -> int:
    """The smallest decoded side of a JPEG that is accepted for `side` px; a smaller draft is decoded again."""
    return int(side * _DRAFT_SHARE)


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """Scale down to at most `side` px on the long side; never enlarge."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert to RGBA if any pixel is transparent, else to RGB, CMYK or L. CMYK and L may need an ICC profile."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return _from_sixteen_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("RGB", "CMYK", "L"):
        return image
    return image.convert("RGB")


def without_metadata(image: Image.Image) -> Image.Image:
    """Remove the metadata that Pillow would write into the result: ICC profile, EXIF, XMP, comments."""
    image.info = {}
    return image


def _draft(image: Image.Image, side: int) -> None:
    """Let libjpeg decode fewer pixels, with a long side of at least `draft_min(side)` px.

    The requested box has the photograph's aspect ratio. In a box of another ratio the short side would set the scale,
    and more pixels than needed would be decoded.
    """
    scale = side * _DRAFT_SHARE / max(image.size)
    if scale < 1:
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    if image.width * image.height > PIXELS_MAX:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE)


def _decoded(source: Source, side: int) -> Image.Image:
    image = source.image
    factor = max(image.size) // side
    if source.kind is Kind.HEIF and factor > 1 and image.width * image.height > HEIF_AT_ONCE:
        return heif.reduced(source.file.data, factor)
    return source.file.load(image)


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    """Convert 16-bit grey to 8 bits. Transparent pixels are found before the conversion, at 16 bits."""
    wide = image.convert("I")
    # convert("L") clips at 255 instead of scaling.
    grey = wide.point([value >> 8 for value in range(65536)], "L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return without_metadata(grey)
    alpha = wide.point([255 * (value != transparent) for value in range(65536)], "L")
    return without_metadata(Image.merge("LA", (grey, alpha)).convert("RGBA"))
