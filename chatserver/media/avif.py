"""Encodes still images as AVIF of at most a given number of bytes, at the best quality. No I/O.

Measured on photographs of 4 to 20 megapixels in 200 KB (docs/performance.md). libaom's speeds 9 and 10 write the same
bytes; speed 8 takes two to four times as long for no better picture. With `tune=ssim` an attempt takes an eighth less
than with libavif's own tuning (`iq`), and 1 - SSIM is the same or up to a tenth lower. Quantisation matrices
(`enable-qm`), CDEF, palettes and other tools change nothing at this speed. Text keeps `iq`.
"""

from __future__ import annotations

import math
from io import BytesIO

from PIL import AvifImagePlugin as _avif  # noqa: F401
from PIL import Image

from chatserver.media.encoded import EncodedImage, check_limit
from chatserver.media.quality_search import Attempt, Rules, best_quality, quality_of_sample, sample, shrunk_to_fit

SPEED = 9
FIRST_QUALITY = 68
QUALITY_MAX = 92
# Below this quality, fewer pixels look better than a lower quality.
QUALITY_MIN = 25
SSIM_TUNED_FROM = 65
# An attempt on more pixels takes 30 ms or more, so the quality is first estimated from a sample of the image.
LARGE_PIXELS = 400_000
# The binary logarithm of a thumbnail's bytes per pixel above which the quality of photographs falls steeply.
_BUSY_DETAIL = -3.2
# A photograph's sample has a sixth of its pixels. The whole image then has 0.88 to 1.08 times the bytes that the sample
# predicts. With a sample of an eighth of the pixels the factor is 0.85 to 1.2.
_PHOTOGRAPH_SAMPLE_SIDES = 0.42
# A sample above this multiple of its share at the lowest quality shows that the whole image does not fit.
GIVE_UP_RATIO = 1.5


def fit_photograph(image: Image.Image, limit: int, thumb_bytes_a_pixel: float) -> EncodedImage:
    """Encode an RGB or RGBA image of more than LARGE_PIXELS in at most `limit` bytes, with 4:2:0 chroma subsampling.

    The first quality to try is computed from `thumb_bytes_a_pixel`, the bytes per pixel of the image's thumbnail.
    Scale the image down if QUALITY_MIN does not fit.
    Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    check_limit(limit)
    while True:
        first = _expected_quality(thumb_bytes_a_pixel, limit / (image.width * image.height))
        found = _best_of_photograph(image, limit, first)
        if found.data is not None:
            return EncodedImage(found.data, *image.size)
        image = shrunk_to_fit(image, found.size / limit, short_side=1)


def _expected_quality(thumb_bytes_a_pixel: float, bytes_a_pixel: float) -> int:
    """Estimate the quality, mostly within 6 of the best one, at most 16 off.

    The formula was fitted to photographs (docs/performance.md).
    """
    detail = math.log2(thumb_bytes_a_pixel)
    quality = 46 - 35 * (detail + 2.6) if detail > _BUSY_DETAIL else 86 - 8 * (detail + 3.2)
    return round(quality + 10 * math.log2(bytes_a_pixel / 0.1))


def _best_of_photograph(image: Image.Image, limit: int, first: int) -> Attempt:
    rules = Rules(low=QUALITY_MIN, top=QUALITY_MAX, attempts=3, good_share=0.84, halving=14, doubling=14)
    part, share = sample(image, _PHOTOGRAPH_SAMPLE_SIDES)
    expected = quality_of_sample(lambda q: _encode(part, q, "4:2:0", "ssim"), int(limit * share), first, rules)
    if expected.size > GIVE_UP_RATIO * limit * share:
        return Attempt(expected.quality, None, int(expected.size / share))
    return best_quality(lambda q: _encode(image, q, "4:2:0", "ssim"), limit, expected.quality, rules)


def fit_still(image: Image.Image, limit: int, *, quality_min: int = QUALITY_MIN, short_side: int = 1) -> EncodedImage:
    """Encode an RGB or RGBA image in at most `limit` bytes. Scale it down if `quality_min` does not fit.

    Scaling first stops at a short side of `short_side` pixels, and goes below it only if that does not fit. Coloured
    text keeps its colour resolution (4:4:4). Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    check_limit(limit)
    while True:
        found = _best_quality(image, limit, quality_min)
        if found.data is not None:
            return EncodedImage(found.data, *image.size)
        image = shrunk_to_fit(image, found.size / limit, short_side)


def _best_quality(image: Image.Image, limit: int, low: int) -> Attempt:
    """The best encoding that fits. If none fits, `data` is None and `size` the smallest size reached or estimated."""
    first = FIRST_QUALITY
    if image.width * image.height > LARGE_PIXELS:
        part, share = sample(image)
        rules = Rules(low=low, top=QUALITY_MAX, attempts=5, good_share=0.92, halving=18, doubling=14)
        of_sample = best_quality(lambda q: _encode_text(part, q), int(limit * share), first, rules)
        if of_sample.size > GIVE_UP_RATIO * limit * share:
            return Attempt(of_sample.quality, None, int(of_sample.size / share))
        first = of_sample.quality
    rules = Rules(low=low, top=QUALITY_MAX, attempts=3, good_share=0.84, halving=18, doubling=14)
    return best_quality(lambda q: _encode_text(image, q), limit, first, rules)


def _encode_text(image: Image.Image, quality: int) -> bytes:
    return _encode(image, quality, "4:4:4", "ssim" if quality >= SSIM_TUNED_FROM else "iq")


def _encode(image: Image.Image, quality: int, subsampling: str, tune: str) -> bytes:
    out = BytesIO()
    image.save(
        out, "AVIF", quality=quality, speed=SPEED, subsampling=subsampling, max_threads=1, advanced={"tune": tune}
    )
    return out.getvalue()
