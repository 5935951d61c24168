"""Encodes a photograph as AVIF: how many pixels it gets depends on how much there is to see in it.

A busy one (leaves, a crowd, stones) looks the same in 200 KB with BUSY_SIDE as with LONG_SIDE pixels, since each of its
pixels gets few bits; it takes two thirds of the time. A calm one shows more with CALM_SIDE. The thumbnail tells
them apart before anything large is scaled: its bytes say how much changes from pixel to pixel.
"""

from __future__ import annotations

from chatserver.media import avif, stills, thumbnails, webp
from chatserver.media.encoded import EncodedImage
from chatserver.media.headers import Kind
from chatserver.media.open_checked import Source, again
from chatserver.media.protocol import Rendered

LONG_SIDE = 2048
BUSY_SIDE = 1600
CALM_SIDE = 1920
# Of a thumbnail's bytes for each of its pixels. Photographs below it lose by fewer pixels (docs/performance.md).
BUSY_FROM = 0.11
# libjpeg decodes at 1/2, 1/4 or 1/8 of the sides in half of the time. Such a size is not scaled again, which would take
# 50 ms: a busy photograph may have it from 1,500 px on, a calm one up to DRAFT_SIDE_MAX, half of 4,608.
_DRAFT_SIDE = 1600
DRAFT_SIDE_MAX = 2304
# Of a longer one LONG_SIDE is decoded at once: decoding it twice, where it is calm, takes longer than scaling.
_HALVED_SIDE_MAX = 3840
# Longer ones are mostly screenshots, whose text needs its pixels.
_RATIO_MAX = 1.8
# So few pixels are WebP, which needs no second file for those that cannot read AVIF, and looks as good with the bytes
# that a limit of 200 KB leaves for each of them.
SMALL_PIXELS = 400_000


def render(source: Source, limit_bytes: int) -> Rendered | None:
    """With at most LONG_SIDE px, a draft DRAFT_SIDE_MAX. None for few colours. Raises what a decoder raises."""
    whole_side = max(source.image.size)
    is_halved = source.kind is Kind.JPEG and whole_side <= _HALVED_SIDE_MAX
    decoded = stills.decoded(source, _DRAFT_SIDE if is_halved else LONG_SIDE)
    if decoded.image.getcolors(webp.FLAT_COLOURS_MAX) is not None:
        return None
    thumb = _thumbnail(decoded, limit_bytes)
    bytes_a_pixel = len(thumb.data) / (thumb.width * thumb.height)
    is_busy = bytes_a_pixel >= BUSY_FROM and _ratio(decoded) <= _RATIO_MAX
    if not is_busy and max(decoded.image.size) < min(whole_side, stills.draft_min(LONG_SIDE)):
        decoded = stills.decoded(again(source), LONG_SIDE)
    image = decoded.shown(_side(max(decoded.image.size), whole_side, is_busy))
    if image.width * image.height <= SMALL_PIXELS:
        stored = webp.fit_still(image, limit_bytes)
    else:
        stored = avif.fit_photograph(image, limit_bytes, bytes_a_pixel)
    return Rendered(stored.data, thumb.data, stored.width, stored.height)


def _side(side: int, whole_side: int, is_busy: bool) -> int:
    """The longer side in pixels for a picture of `side` px, which was decoded from one of `whole_side`."""
    if side <= LONG_SIDE:
        return side
    if is_busy:
        return BUSY_SIDE
    return side if side < whole_side and side <= DRAFT_SIDE_MAX else CALM_SIDE


def _thumbnail(decoded: stills.Decoded, limit_bytes: int) -> EncodedImage:
    """Scaled before its colours are converted; a high one is cropped to its top first."""
    is_cropped = _ratio(decoded) > thumbnails.THUMB_RATIO_MAX
    return thumbnails.thumbnail(decoded.shown(LONG_SIDE if is_cropped else thumbnails.THUMB_SIDE), limit_bytes)


def _ratio(decoded: stills.Decoded) -> float:
    return max(decoded.image.size) / min(decoded.image.size)
