"""Encodes still images as WebP of at most a given number of bytes. No I/O.

WebP is used for pictures whose pixels can be kept exactly, for thumbnails and small pictures, and for the copy of an
AVIF for browsers that cannot read it. The SSIM of libwebp's method 4 is 0.003 to 0.006 above method 2, in twice the
time; method 6 adds nothing in four times the time; methods 1 and 0 lose about 0.003 to 0.006 more.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from PIL import WebPImagePlugin as _webp  # noqa: F401

from chatserver.media.encoded import EncodedImage, check_limit
from chatserver.media.quality_search import Attempt, Rules, best_quality, sample, shrunk_to_fit

# The longest side in pixels: 14 bits (RFC 9649, section 2.5).
SIDE_MAX = 16_383

FIRST_QUALITY = 80
QUALITY_MAX = 92
# Below this quality, fewer pixels look better than a lower quality.
QUALITY_MIN = 30
# An attempt on more pixels takes 0.1 s: such images use method 2, fewer attempts and a lower share of the limit.
LARGE_PIXELS = 1_000_000
# A sample aims slightly below its share of the limit, because a whole image just above the limit costs another attempt.
SAMPLE_TARGET = 0.96
# A sample above this multiple of its share at the lowest quality shows that the whole image does not fit.
GIVE_UP_RATIO = 1.25

# Measured on screenshots of Chromium: effort 80 takes a tenth more time than 50 and finds repetitions from line to
# line, which saves a third of the bytes or more. The highest effort is used only if it may make the picture fit.
_EFFORTS = ({"quality": 80, "method": 2}, {"quality": 95, "method": 4})
_EFFORT_GAIN = 1.15
# If a lossless sample takes more than this multiple of its share of the limit, the whole image does not fit. The sample
# of a photograph takes 5 times its share or more. A sample has more edges and fewer repetitions than the whole image.
_LOSSLESS_SAMPLE_RATIO = 2.5
# Images of at most this many colours are drawings or screenshots: they need no sample.
# A grey photograph has at most 256 colours, so a grey image is a drawing only if it has fewer.
FLAT_COLOURS_MAX = 1024
FLAT_GREYS_MAX = 64


def is_flat(image: Image.Image) -> bool:
    """True if the image has as few colours as a drawing."""
    colours = image.getcolors(FLAT_COLOURS_MAX)
    if colours is None or len(colours) <= FLAT_GREYS_MAX:
        return colours is not None
    return not all(_is_grey(colour) for _, colour in colours)


def _is_grey(colour: float | tuple[int, ...]) -> bool:
    return not isinstance(colour, tuple) or len({*colour[:3]}) == 1


def lossless(image: Image.Image, limit: int) -> EncodedImage | None:
    """Encode the exact pixels in at most `limit` bytes; return None if they do not fit."""
    if max(image.size) > SIDE_MAX:
        return None
    if not is_flat(image) and not _may_fit_lossless(image, limit):
        return None
    for effort in _EFFORTS:
        data = _encode(image, lossless=True, **effort)
        if len(data) <= limit:
            return EncodedImage(data, *image.size)
        if len(data) > _EFFORT_GAIN * limit:
            return None
    return None


def fit_still(
    image: Image.Image,
    limit: int,
    top: int = QUALITY_MAX,
    *,
    method: int = 4,
    quality_min: int = QUALITY_MIN,
    short_side: int = 1,
) -> EncodedImage:
    """Encode an RGB or RGBA image in at most `limit` bytes. Scale it down if `quality_min` does not fit.

    Scaling first stops at a short side of `short_side` pixels, and goes below it only if that does not fit. An image of
    few colours is lossless if that fits. `method` is libwebp's, for images of up to LARGE_PIXELS; larger images use
    method 2. Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    check_limit(limit)
    if is_flat(image) and (exact := lossless(image, limit)):
        return exact
    while True:
        found = _best_quality(image, limit, top, method, quality_min)
        if found.data is not None:
            return EncodedImage(found.data, *image.size)
        image = shrunk_to_fit(image, found.size / limit, short_side)


def fit_square(image: Image.Image, limit: int) -> bytes:
    """Encode a small image without scaling. At the lowest of these qualities, noise of 256 × 256 px takes 13 KB."""
    for quality in (85, 70, 50, 30, 15):
        data = _encode(image, quality=quality, method=4)
        if len(data) <= limit:
            return data
    # The alpha channel is lossless by default, but a channel of noise does not fit that way.
    return _encode(image, quality=0, alpha_quality=0, method=4)


def _may_fit_lossless(image: Image.Image, limit: int) -> bool:
    part, share = sample(image)
    return len(_encode(part, lossless=True, **_EFFORTS[0])) <= _LOSSLESS_SAMPLE_RATIO * share * limit


def _best_quality(image: Image.Image, limit: int, top: int, method: int, low: int) -> Attempt:
    """The best encoding that fits. If none fits, `data` is None and `size` the smallest size reached or estimated."""
    rules = Rules(low=low, top=top, attempts=6, good_share=0.88, halving=40, doubling=20)
    if image.width * image.height <= LARGE_PIXELS:
        return best_quality(lambda q: _encode(image, quality=q, method=method), limit, FIRST_QUALITY, rules)
    part, share = sample(image)
    sample_limit = int(SAMPLE_TARGET * limit * share)
    of_sample = best_quality(lambda q: _encode(part, quality=q, method=2), sample_limit, FIRST_QUALITY, rules)
    if of_sample.size > GIVE_UP_RATIO * limit * share:
        return Attempt(of_sample.quality, None, int(of_sample.size / share))
    rules = Rules(low=low, top=top, attempts=3, good_share=0.8, halving=40, doubling=20)
    return best_quality(lambda q: _encode(image, quality=q, method=2), limit, of_sample.quality, rules)


def _encode(image: Image.Image, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()
