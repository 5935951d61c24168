"""Encodes a photograph as AVIF. The number of pixels depends on the amount of detail.

A busy photograph (leaves, a crowd, stones) looks the same in 200 KB with BUSY_SIDE as with LONG_SIDE pixels, because
each pixel gets few bits; encoding takes two thirds of the time. A calm photograph shows more with CALM_SIDE. The
thumbnail decides which it is before a large image is scaled: its size in bytes tells how much neighbouring pixels
differ.
"""

from __future__ import annotations

from PIL import Image

from chatserver.media import avif_photographs, stills, thumbnails, webp
from chatserver.media.encoded import EncodedImage
from chatserver.media.open_checked import Source
from chatserver.media.protocol import Rendered

LONG_SIDE = 2048
BUSY_SIDE = 1600
CALM_SIDE = 1920
# Bytes per pixel of the thumbnail from which a photograph is busy. Below it, a photograph looks worse with fewer pixels
# (docs/performance.md).
BUSY_FROM = 0.11
# libjpeg decodes at 1/2, 1/4 or 1/8 of the sides in half of the time. Such a draft of at most LONG_SIDE, or of a calm
# photograph up to DRAFT_SIDE_MAX (half of 4,608 px), is not scaled again, which would take 50 ms.
DRAFT_SIDE_MAX = 2304
# Pictures with a larger ratio of the sides are mostly screenshots, whose text needs its pixels.
_RATIO_MAX = 1.8
# A picture of at most this number of pixels is stored as WebP. It needs no second file for browsers that cannot read
# AVIF, and looks as good with the bytes per pixel that a limit of 200 KB allows.
SMALL_PIXELS = 400_000


def render(source: Source, limit_bytes: int) -> Rendered | None:
    """Encode the photograph with at most LONG_SIDE px, or DRAFT_SIDE_MAX px if a draft is not scaled again.

    Returns None for an image of few colours. Raises what a decoder raises.
    """
    whole_side = max(source.image.size)
    decoded = stills.decoded(source, LONG_SIDE)
    if webp.is_flat(decoded.image):
        return None
    thumb = _thumbnail(decoded, limit_bytes)
    is_busy = len(thumb.data) >= BUSY_FROM * thumb.width * thumb.height and _ratio(decoded.image) <= _RATIO_MAX
    image = decoded.shown(_side(max(decoded.image.size), whole_side, is_busy))
    if image.width * image.height <= SMALL_PIXELS:
        stored = webp.fit_still(image, limit_bytes)
    else:
        stored = avif_photographs.fit_photograph(image, limit_bytes)
    return Rendered(stored.data, thumb.data, stored.width, stored.height)


def _side(side: int, whole_side: int, is_busy: bool) -> int:
    """The long side in pixels of the stored picture. `side` px were decoded from an original of `whole_side` px."""
    if is_busy and (side < whole_side or side > LONG_SIDE):
        return min(side, BUSY_SIDE)
    if side <= LONG_SIDE:
        return side
    return side if side < whole_side and side <= DRAFT_SIDE_MAX else CALM_SIDE


def _thumbnail(decoded: stills.Decoded, limit_bytes: int) -> EncodedImage:
    """Scale the picture before its colours are converted; crop a high picture to its top before it is scaled."""
    is_cropped = _ratio(decoded.image) > thumbnails.THUMB_RATIO_MAX
    return thumbnails.thumbnail(decoded.shown(LONG_SIDE if is_cropped else thumbnails.THUMB_SIDE), limit_bytes)


def _ratio(image: Image.Image) -> float:
    return max(image.size) / min(image.size)
