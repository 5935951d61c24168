"""Encodes still images as AVIF of at most a given number of bytes, at the best quality. No I/O.

Measured on photographs of 4 to 20 megapixels in 200 KB (docs/performance.md). libaom's speeds 9 and 10 write the same
bytes; speed 8 takes two to four times as long for no better picture. From quality SSIM_TUNED_FROM on
`tune=ssim` lowers 1 - SSIM by 5 % against libavif's own tuning (`iq`), below it raises it by 10 %. CDEF, palettes and
other tools change nothing at this speed.
"""

from __future__ import annotations

from io import BytesIO

from PIL import AvifImagePlugin as _avif  # noqa: F401
from PIL import Image

from chatserver.media.encoded import EncodedImage, check_limit
from chatserver.media.search import Attempt, Rules, best_quality, sample, shrunk_to_fit

SPEED = 9
FIRST_QUALITY = 68
QUALITY_MAX = 92
# Below this quality, fewer pixels look better than a lower quality.
QUALITY_MIN = 25
SSIM_TUNED_FROM = 65
# An attempt on more pixels takes 30 ms and more: a sample finds the quality first.
LARGE_PIXELS = 400_000
# The target of a sample, as a share of its part of the limit: a whole picture has 0.90 to 1.05 of what its sample says.
SAMPLE_TARGET = 1.0
# A sample above this multiple of its share at the lowest quality shows that the whole image does not fit.
GIVE_UP_RATIO = 1.5


def fit_still(
    image: Image.Image,
    limit: int,
    *,
    is_photograph: bool,
    quality_min: int = QUALITY_MIN,
    short_side: int = 1,
) -> EncodedImage:
    """Encode an RGB or RGBA image in at most `limit` bytes. Scale it down if `quality_min` does not fit.

    A step of that goes to `short_side` pixels first, before it goes below them. Coloured text keeps the resolution of
    its colours, a photograph has a quarter of it. Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    check_limit(limit)
    subsampling = "4:2:0" if is_photograph else "4:4:4"
    while True:
        found = _best_quality(image, limit, subsampling, quality_min)
        if found.data is not None:
            return EncodedImage(found.data, *image.size)
        image = shrunk_to_fit(image, found.size / limit, short_side)


def _best_quality(image: Image.Image, limit: int, subsampling: str, low: int) -> Attempt:
    """The best encoding that fits; or without data, and the smallest size reached or estimated in bytes."""
    first = FIRST_QUALITY
    if image.width * image.height > LARGE_PIXELS:
        part, share = sample(image)
        rules = Rules(low=low, top=QUALITY_MAX, attempts=5, good_share=0.92, halving=18, doubling=14)
        sample_limit = int(SAMPLE_TARGET * limit * share)
        of_sample = best_quality(lambda q: _encode(part, q, subsampling), sample_limit, first, rules)
        if of_sample.size > GIVE_UP_RATIO * limit * share:
            return Attempt(of_sample.quality, None, int(of_sample.size / share))
        first = of_sample.quality
    rules = Rules(low=low, top=QUALITY_MAX, attempts=3, good_share=0.84, halving=18, doubling=14)
    return best_quality(lambda q: _encode(image, q, subsampling), limit, first, rules)


def _encode(image: Image.Image, quality: int, subsampling: str) -> bytes:
    out = BytesIO()
    image.save(
        out,
        "AVIF",
        quality=quality,
        speed=SPEED,
        subsampling=subsampling,
        max_threads=1,
        advanced={"tune": "ssim" if quality >= SSIM_TUNED_FROM else "iq"},
    )
    return out.getvalue()
