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
from chatserver.media.headers import Kind
from chatserver.media.open_checked import Source, again
from chatserver.media.protocol import Rendered

LONG_SIDE = 2048
BUSY_SIDE = 1600
CALM_SIDE = 1920
# Bytes per pixel of the thumbnail from which a photograph is busy. Below it, a photograph looks worse with fewer pixels
# (docs/performance.md).
BUSY_FROM = 0.11
# libjpeg decodes at 1/2, 1/4 or 1/8 of the sides in half of the time. Such a draft is not scaled again, which would
# take 50 ms. It is used for a busy photograph from 1,500 px, and for a calm one up to DRAFT_SIDE_MAX, half of 4,608 px.
_DRAFT_SIDE = 1600
DRAFT_SIDE_MAX = 2304
# A calm photograph is not decoded again if its draft has this side: it shows 2 % less than CALM_SIDE, in half of the
# time.
CALM_DRAFT_MIN = 1800
# A photograph with a longer side is decoded at LONG_SIDE at once. If it is calm, decoding it a second time would take
# longer than scaling.
_HALVED_SIDE_MAX = 3840
# A JPEG of fewer bytes per pixel is probably calm, and is also decoded at LONG_SIDE at once.
_HALVED_BYTES_MIN = 0.12
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
    is_long = _ratio(source.image) > _RATIO_MAX
    calm_min = stills.draft_min(LONG_SIDE) if is_long else CALM_DRAFT_MIN
    decoded = stills.decoded(source, _first_side(source, calm_min))
    if decoded.image.getcolors(webp.FLAT_COLOURS_MAX) is not None:
        return None
    thumb = _thumbnail(decoded, limit_bytes)
    is_busy = len(thumb.data) >= BUSY_FROM * thumb.width * thumb.height and not is_long
    if not is_busy and max(decoded.image.size) < min(whole_side, calm_min):
        decoded = stills.decoded(again(source), LONG_SIDE)
    image = decoded.shown(_side(max(decoded.image.size), whole_side, is_busy))
    if image.width * image.height <= SMALL_PIXELS:
        stored = webp.fit_still(image, limit_bytes)
    else:
        stored = avif_photographs.fit_photograph(image, limit_bytes)
    return Rendered(stored.data, thumb.data, stored.width, stored.height)


def _first_side(source: Source, calm_min: int) -> int:
    """The side to decode before it is known whether the photograph is busy: the one that is probably kept."""
    whole_side = max(source.image.size)
    if source.kind is not Kind.JPEG or whole_side > _HALVED_SIDE_MAX:
        return LONG_SIDE
    is_probably_busy = source.bytes >= _HALVED_BYTES_MIN * source.image.width * source.image.height
    return _DRAFT_SIDE if is_probably_busy or whole_side >= 2 * calm_min else LONG_SIDE


def _side(side: int, whole_side: int, is_busy: bool) -> int:
    """The long side in pixels of the stored picture. `side` px were decoded from an original of `whole_side` px."""
    if side <= LONG_SIDE:
        return side
    if is_busy:
        return BUSY_SIDE
    return side if side < whole_side and side <= DRAFT_SIDE_MAX else CALM_SIDE


def _thumbnail(decoded: stills.Decoded, limit_bytes: int) -> EncodedImage:
    """Scale the picture before its colours are converted; crop a high picture to its top before it is scaled."""
    is_cropped = _ratio(decoded.image) > thumbnails.THUMB_RATIO_MAX
    return thumbnails.thumbnail(decoded.shown(LONG_SIDE if is_cropped else thumbnails.THUMB_SIDE), limit_bytes)


def _ratio(image: Image.Image) -> float:
    return max(image.size) / min(image.size)
