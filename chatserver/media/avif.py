"""Encodes still images as AVIF of at most a given number of bytes, at the best quality. No I/O.

Measured on photographs of 4 to 20 megapixels in 200 KB (docs/performance.md). libaom's speeds 9 and 10 write the same
bytes; speed 8 takes two to four times as long for no better picture. With `tune=ssim` an attempt takes an eighth less
than with libavif's own tuning (`iq`), and 1 - SSIM is the same or up to a tenth lower. Quantisation matrices
(`enable-qm`), CDEF, palettes and other tools change nothing at this speed. Text keeps `iq`.
"""

from __future__ import annotations

from io import BytesIO

from PIL import AvifImagePlugin as _avif  # noqa: F401
from PIL import Image

from chatserver.media.encoded import EncodedImage, check_limit
from chatserver.media.quality_search import Attempt, Rules, best_quality, sample, shrunk_to_fit

SPEED = 9
FIRST_QUALITY = 68
QUALITY_MAX = 92
# Below this quality, fewer pixels look better than a lower quality.
QUALITY_MIN = 25
SSIM_TUNED_FROM = 65
# An attempt on more pixels takes 30 ms or more, so the quality is first estimated from a sample of the image.
LARGE_PIXELS = 400_000
# A sample above this multiple of its share at the lowest quality shows that the whole image does not fit.
GIVE_UP_RATIO = 1.5


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
    return encode(image, quality, "4:4:4", "ssim" if quality >= SSIM_TUNED_FROM else "iq")


def encode(image: Image.Image, quality: int, subsampling: str, tune: str) -> bytes:
    """One attempt. `subsampling` is "4:2:0" or "4:4:4", `tune` is libaom's."""
    out = BytesIO()
    image.save(
        out, "AVIF", quality=quality, speed=SPEED, subsampling=subsampling, max_threads=1, advanced={"tune": tune}
    )
    return out.getvalue()
