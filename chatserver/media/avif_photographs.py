"""Encodes a photograph as AVIF in at most a given number of bytes, mostly in one attempt on the whole image. No I/O.

The level to encode with is estimated from a sample with an eleventh of the pixels. How many of the image's bytes a
sample stands for depends on what it shows. It is measured with libjpeg, which encodes the whole image in 5 ms: the
whole AVIF then has 0.94 to 1.06 times the bytes that the sample predicts, instead of 0.81 to 1.09 times with the
sample's share of the pixels (14 photographs, docs/performance.md).
"""

from __future__ import annotations

import math
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from chatserver.media import avif
from chatserver.media.encoded import EncodedImage, check_limit
from chatserver.media.quality_search import Attempt, sample, shrunk_to_fit

# libaom has 64 levels of quality: 63 less the quantiser. Two neighbours are 5 to 20 % of the bytes apart.
LEVELS = 63
LEVEL_MIN, LEVEL_MAX = 16, 58
ATTEMPTS = 3
# Of the limit, what an estimate from a sample and one from the whole image aim at. The former is off by 3 % on average,
# and a level too low costs as much as one too high.
_SAMPLE_AIM, _AIM = 0.995, 0.985
# A result of this share of the limit ends the search: one more attempt takes a third of the job.
_GOOD_SHARE = 0.9
_SAMPLE_SIDES = 0.3
_SAMPLE_ATTEMPTS = 3
_JPEG_QUALITY = 70
# A sample above this multiple of its share at the lowest level shows that the whole image does not fit.
_GIVE_UP_RATIO = 1.5


class _Estimate(NamedTuple):
    """The level for the limit, the growth per level (natural logarithm of the bytes), and bytes in limits."""

    level: int
    growth: float
    excess: float


def fit_photograph(image: Image.Image, limit: int) -> EncodedImage:
    """Encode an RGB or RGBA image of more than 400,000 pixels in at most `limit` bytes, with 4:2:0 chroma subsampling.

    Scale the image down if LEVEL_MIN does not fit. Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    check_limit(limit)
    while True:
        found = _best(image, limit)
        if found.data is not None:
            return EncodedImage(found.data, *image.size)
        image = shrunk_to_fit(image, found.size / limit, short_side=1)


def _best(image: Image.Image, limit: int) -> Attempt:
    """The best level that fits. If none fits, `data` is None and `size` the size reached or estimated."""
    level, growth, excess = _estimated(image, limit)
    if excess > _GIVE_UP_RATIO:
        return Attempt(level, None, int(excess * limit))
    under: Attempt | None = None
    over = LEVEL_MAX + 1
    for _ in range(ATTEMPTS):
        data = encode_level(image, level)
        following = _following(level, len(data), _AIM * limit, growth)
        if len(data) > limit:
            if level == LEVEL_MIN:
                return under or Attempt(level, None, len(data))
            over = level
        else:
            under = Attempt(level, data, len(data))
            if len(data) >= _GOOD_SHARE * limit:
                break
        following = max(min(following, over - 1), LEVEL_MIN)
        if under and following <= under.quality:
            break
        level = following
    return under or _lowest(image, limit)


def _lowest(image: Image.Image, limit: int) -> Attempt:
    data = encode_level(image, LEVEL_MIN)
    return Attempt(LEVEL_MIN, data if len(data) <= limit else None, len(data))


def _estimated(image: Image.Image, limit: int) -> _Estimate:
    part, _ = sample(image, _SAMPLE_SIDES)
    jpeg_bytes = _jpeg_bytes(image)
    part_limit = _SAMPLE_AIM * limit * _jpeg_bytes(part) / jpeg_bytes
    level = expected_level(jpeg_bytes, limit)
    size = len(encode_level(part, level))
    growth = typical_growth(level)
    for _ in range(_SAMPLE_ATTEMPTS - 1):
        following = _following(level, size, part_limit, growth)
        if abs(following - level) <= 1:
            break
        before, level = (level, size), following
        size = len(encode_level(part, level))
        growth = max(math.log(size / before[1]) / (level - before[0]), 0.03)
    return _Estimate(
        _following(level, size, part_limit, growth), growth, size / part_limit if level == LEVEL_MIN else 1
    )


def expected_level(jpeg_bytes: int, limit: int) -> int:
    """Estimate the level from the bytes of the image as JPEG, mostly within 4 levels.

    The formula was fitted to photographs (docs/performance.md).
    """
    return _bounded(45.5 - 20.6 * math.log2(jpeg_bytes / limit))


def typical_growth(level: int) -> float:
    """How the bytes grow per level near `level`: the natural logarithm of the factor."""
    return 0.07 + 0.015 * max(0, level - 50)


def _following(level: int, size: int, aim: float, growth: float) -> int:
    """The highest level whose result should have at most `aim` bytes, if that of `level` has `size`."""
    return _bounded(level + math.log(aim / size) / growth)


def _bounded(level: float) -> int:
    return min(max(math.floor(level), LEVEL_MIN), LEVEL_MAX)


def encode_level(image: Image.Image, level: int) -> bytes:
    """One attempt at a level of 0 to LEVELS."""
    return avif.encode(image, round(level * 100 / LEVELS), "4:2:0", "ssim")


def _jpeg_bytes(image: Image.Image) -> int:
    from PIL import JpegImagePlugin as _jpeg  # noqa: F401  # a worker starts sooner without it

    out = BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=_JPEG_QUALITY, subsampling="4:2:0")
    return out.tell()
