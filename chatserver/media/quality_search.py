"""Finds the best quality at which an encoder's result fits a number of bytes, in few attempts. Knows no encoder.

For a large image the search begins with a sample, because an attempt on the whole image takes 0.1 s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from PIL import Image

# An estimate of the quality aims at this share of the limit.
TARGET_SHARE = 0.95
# The side length of a tile of the sample, as a share of the side of its grid cell. The sample has an eighth of the
# pixels.
_SAMPLE_SIDES = 0.35


class Attempt(NamedTuple):
    """The result of an attempt or a search. `data` is None if `size` bytes are over the limit."""

    quality: int
    data: bytes | None
    size: int


class Rules(NamedTuple):
    """The parameters of a search. A result of at least `good_share` of the limit ends the search.

    `low` and `top` are the lowest and highest quality. The size halves when the quality falls by `halving` steps, and
    doubles when it rises by `doubling` steps.
    """

    low: int
    top: int
    attempts: int
    good_share: float
    halving: int
    doubling: int


def best_quality(encode: Callable[[int], bytes], limit: int, first: int, rules: Rules) -> Attempt:
    """Find the best quality that fits `limit`, in at most `rules.attempts` encodings, beginning with `first`.

    The size is close to an exponential function of the quality, so the second or third estimate mostly
    ends the search. If nothing fits after `attempts`, the lowest quality is tried last.
    """
    quality = min(max(first, rules.low), rules.top)
    attempts = rules.attempts
    under: Attempt | None = None
    over: Attempt | None = None
    while attempts > 0 or under is None:
        attempts -= 1
        data = encode(quality)
        if len(data) <= limit:
            under = Attempt(quality, data, len(data))
            if len(data) >= rules.good_share * limit or quality == rules.top:
                break
        else:
            over = Attempt(quality, None, len(data))
            if quality == rules.low:
                break
        if under and over:
            if over.quality - under.quality <= 1:
                break
            quality = _between(under, over, limit)
        elif attempts > 0:
            quality = min(max(estimated_quality(quality, len(data), limit, rules), rules.low), rules.top)
        else:
            quality = rules.low
    return under or over or Attempt(quality, None, limit)


def estimated_quality(quality: int, size: int, limit: int, rules: Rules) -> int:
    """The quality at which a result of `size` bytes should be just under `limit`; it may be out of range."""
    doublings = math.log2(size / (TARGET_SHARE * limit))
    return quality - math.ceil(doublings * (rules.halving if doublings > 0 else rules.doubling))


def sample(image: Image.Image, sides: float = _SAMPLE_SIDES) -> tuple[Image.Image, float]:
    """Join 12 tiles from an even grid over the image. Returns them and their share of the pixels, about `sides`²."""
    columns, rows = 4, 3
    # Use whole macroblocks of 16 px: a cut macroblock adds an edge, and bits that the whole image does not need.
    width = max(16, round(image.width * sides / columns / 16) * 16)
    height = max(16, round(image.height * sides / rows / 16) * 16)
    joined = Image.new(image.mode, (width * columns, height * rows))
    for column in range(columns):
        for row in range(rows):
            left = (2 * column + 1) * image.width // (2 * columns) - width // 2
            top = (2 * row + 1) * image.height // (2 * rows) - height // 2
            tile = image.crop((left, top, left + width, top + height))
            joined.paste(tile, (column * width, row * height))
    return joined, joined.width * joined.height / (image.width * image.height)


def resized(image: Image.Image, scale: float) -> Image.Image:
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def shrunk_to_fit(image: Image.Image, excess: float, short_side: int) -> Image.Image:
    """Scale down an image whose encoding has `excess` times the limit; one step never crosses `short_side`."""
    scale = min(max(math.sqrt(1 / excess), 0.1), 0.85)
    short = min(image.size)
    return resized(image, max(scale, short_side / short) if short > short_side else scale)


def _between(under: Attempt, over: Attempt, limit: int) -> int:
    """Interpolate exponentially between two attempts: the quality whose result should be just under the limit."""
    part = math.log(max(TARGET_SHARE * limit / under.size, 1.0)) / math.log(over.size / under.size)
    quality = round(under.quality + part * (over.quality - under.quality))
    return min(max(quality, under.quality + 1), over.quality - 1)
