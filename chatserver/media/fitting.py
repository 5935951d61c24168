"""Encodes images as WebP of at most a given number of bytes, at the best quality. No I/O.

The search varies the quality first, then the size in pixels. Each attempt that is too large reduces the
pixels, so the search ends for noise and for the smallest limit too.

The constants were measured on photographs of 12 megapixels with a limit of 200 KB, by the SSIM at a
display width of 2000 px (docs/performance.md). A photograph of 1400 to 1800 px at quality 85 to 92 has a
higher SSIM than one of 2000 px at quality 77, and takes less time. The SSIM of libwebp's method 4 is
0.003 to 0.006 above method 2, in twice the time; method 6 adds nothing in four times the time; methods 1
and 0 lose about 0.003 to 0.006 more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

# A smaller limit cannot be met for every image: an empty animation alone has about 150 bytes.
LIMIT_BYTES_MIN = 1024

FIRST_QUALITY = 80
QUALITY_MAX = 92
# Below this quality, fewer pixels look better than a lower quality.
QUALITY_MIN = 30
# Of a long screenshot: text of a low quality can still be read, text of fewer pixels cannot.
QUALITY_MIN_WHEN_LONG = 0
# A result of at least this share of the limit ends the search; an estimate of the quality aims at TARGET_SHARE.
GOOD_SHARE = 0.88
TARGET_SHARE = 0.95

# A photograph is scaled down before its quality goes below QUALITY_MAX, to at least this share of its side length.
SCALE_MIN = 0.7
# An attempt on more pixels takes 0.1 s: such images use method 2, fewer attempts and a lower GOOD_SHARE.
LARGE_PIXELS = 1_000_000
ATTEMPTS, ATTEMPTS_WHEN_LARGE = 6, 3
GOOD_SHARE_WHEN_LARGE = 0.8
# The target of a sample, slightly below its share: a whole image just above the limit costs another attempt.
SAMPLE_TARGET = 0.96
# A sample above this multiple of its share at QUALITY_MIN shows that the whole image does not fit.
GIVE_UP_RATIO = 1.25
# Images of at most this many colours are first tried lossless.
FLAT_COLOURS_MAX = 1024

# An animation is first scaled down to this side length in pixels, then loses frames, then is scaled down further.
SMALL_SIDE = 200
MOVING_QUALITY, MOVING_QUALITY_MIN = 70, 40


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """WebP bytes within the limit, and the image's width and height in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Animation:
    """Frames of one size (RGB or RGBA), each with its duration in ms; `loop` is a count, 0 for endless."""

    frames: Sequence[Image.Image]
    durations: Sequence[int]
    loop: int


def fit_still(
    image: Image.Image,
    limit: int,
    top: int = QUALITY_MAX,
    *,
    is_photograph: bool = False,
    method: int = 4,
    quality_min: int = QUALITY_MIN,
    short_side: int = 1,
) -> EncodedImage:
    """Encode an RGB or RGBA image in at most `limit` bytes. Scale it down if `quality_min` does not fit.

    A step of that goes to `short_side` pixels first, before it goes below them.

    A photograph is scaled down before its quality is lowered; a screenshot keeps its pixels, for its text.
    `method` is libwebp's for images up to LARGE_PIXELS; larger ones use method 2. Raises ValueError for a
    `limit` below LIMIT_BYTES_MIN.
    """
    _check_limit(limit)
    data = _lossless_if_flat(image, limit)
    if data is None and is_photograph:
        image = _scaled_for_quality(image, limit, top)
    while data is None:
        data, floor_bytes = _best_quality(image, limit, top, method, quality_min)
        if data is None:
            image = _shrunk(image, math.sqrt(limit / floor_bytes), short_side)
    return EncodedImage(data, *image.size)


def fit_square(image: Image.Image, limit: int) -> bytes:
    """Encode a small image without scaling. Noise of 256 × 256 px has 13 KB at the lowest of these qualities."""
    for quality in (85, 70, 50, 30, 15):
        data = _encode(image, quality=quality, method=4)
        if len(data) <= limit:
            return data
    # The alpha channel is lossless by default; noise in it does not fit then.
    return _encode(image, quality=0, alpha_quality=0, method=4)


def fit_animation(animation: Animation, limit: int) -> EncodedImage:
    """Encode in at most `limit` bytes: at a lower quality, then scaled down, then with fewer frames.

    Keeps the total duration and at least two frames. Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    _check_limit(limit)
    quality = MOVING_QUALITY
    while True:
        data = _encode_animation(animation, quality)
        if len(data) <= limit:
            return EncodedImage(data, *animation.frames[0].size)
        estimated = _estimate_quality(quality, len(data), limit)
        if quality > MOVING_QUALITY_MIN:
            # Use the quality as far as MOVING_QUALITY_MIN; save the rest by scaling down.
            quality = max(estimated, MOVING_QUALITY_MIN)
            if estimated >= MOVING_QUALITY_MIN:
                continue
        animation = _reduced(animation, 2 ** ((estimated - quality) / 80))


def scaled(animation: Animation, scale: float) -> Animation:
    """The animation with its side lengths multiplied by `scale`; unchanged for a `scale` of 1 or more."""
    if scale >= 1:
        return animation
    return replace(animation, frames=[_resized(frame, scale) for frame in animation.frames])


def _check_limit(limit: int) -> None:
    if limit < LIMIT_BYTES_MIN:
        raise ValueError(f"the limit of {limit} bytes is below {LIMIT_BYTES_MIN} bytes")


def _lossless_if_flat(image: Image.Image, limit: int) -> bytes | None:
    """Encode an image of few colours (a drawing, a screenshot) lossless; None if it has more or does not fit."""
    if image.getcolors(FLAT_COLOURS_MAX) is None:
        return None
    data = _encode(image, lossless=True, quality=50, method=2)
    return data if len(data) <= limit else None


def _best_quality(image: Image.Image, limit: int, top: int, method: int, low: int) -> tuple[bytes | None, int]:
    """The best encoding that fits, or None; and its size, or the smallest size reached or estimated, in bytes.

    The search on a large image starts at a quality found on a sample, since each attempt takes 0.1 s.
    """
    first = min(FIRST_QUALITY, top)
    if image.width * image.height <= LARGE_PIXELS:
        result = _search(image, limit, first, (low, top), ATTEMPTS, GOOD_SHARE, method)
        return result.data, result.size
    sample, share = _sample(image)
    sample_limit = int(SAMPLE_TARGET * limit * share)
    of_sample = _search(sample, sample_limit, first, (low, top), ATTEMPTS, GOOD_SHARE, method=2)
    if of_sample.size > GIVE_UP_RATIO * limit * share:
        return None, int(of_sample.size / share)
    first = of_sample.quality
    result = _search(image, limit, first, (low, top), ATTEMPTS_WHEN_LARGE, GOOD_SHARE_WHEN_LARGE, method=2)
    return result.data, result.size


def _scaled_for_quality(image: Image.Image, limit: int, top: int) -> Image.Image:
    """Scale a photograph so that it fits `limit` at quality `top`, but not below SCALE_MIN of its side length.

    Images up to LARGE_PIXELS are returned unchanged.
    """
    if image.width * image.height <= LARGE_PIXELS:
        return image
    sample, share = _sample(image)
    scale = math.sqrt(limit * share / len(_encode(sample, quality=top, method=2)))
    return _resized(image, max(scale, SCALE_MIN)) if scale < 1 else image


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The result of an attempt or a search. `data` is None when `size` bytes are over the limit."""

    quality: int
    data: bytes | None
    size: int


def _search(
    image: Image.Image,
    limit: int,
    first: int,
    qualities: tuple[int, int],
    attempts: int,
    good_share: float,
    method: int,
) -> _Attempt:
    """Find the best of the `qualities` (lowest and highest) that fits `limit`, in at most `attempts` encodings.

    The size is close to an exponential function of the quality, so the second or third estimate mostly
    ends the search. If nothing fits after `attempts`, the lowest quality is tried last.
    """
    low, top = qualities
    quality = max(first, low)
    under: _Attempt | None = None
    over: _Attempt | None = None
    while attempts > 0 or under is None:
        attempts -= 1
        data = _encode(image, quality=quality, method=method)
        if len(data) <= limit:
            under = _Attempt(quality, data, len(data))
            if len(data) >= good_share * limit or quality == top:
                break
        else:
            over = _Attempt(quality, None, len(data))
            if quality == low:
                break
        if under and over:
            if over.quality - under.quality <= 1:
                break
            quality = _interpolate_quality(under, over, limit)
        elif attempts > 0:
            quality = min(max(_estimate_quality(quality, len(data), limit), low), top)
        else:
            quality = low
    return under or over or _Attempt(quality, None, limit)


def _estimate_quality(quality: int, size: int, limit: int) -> int:
    """Estimate the quality for `limit`: a photograph's size halves in 40 steps down and doubles in 20 steps up."""
    doublings = math.log2(size / (TARGET_SHARE * limit))
    return quality - math.ceil(doublings * (40 if doublings > 0 else 20))


def _interpolate_quality(under: _Attempt, over: _Attempt, limit: int) -> int:
    """Interpolate exponentially the quality between two attempts that should be just under the limit."""
    part = math.log(TARGET_SHARE * limit / under.size) / math.log(over.size / under.size)
    quality = round(under.quality + part * (over.quality - under.quality))
    return min(max(quality, under.quality + 1), over.quality - 1)


def _sample(image: Image.Image) -> tuple[Image.Image, float]:
    """12 tiles from an even grid over the image, joined, and their share of its pixels, about one eighth."""
    columns, rows = 4, 3
    # Whole macroblocks of 16 px: cutting one adds an edge, and bits that the whole image does not need.
    width = max(16, round(image.width * 0.35 / columns / 16) * 16)
    height = max(16, round(image.height * 0.35 / rows / 16) * 16)
    sample = Image.new(image.mode, (width * columns, height * rows))
    for column in range(columns):
        for row in range(rows):
            left = (2 * column + 1) * image.width // (2 * columns) - width // 2
            top = (2 * row + 1) * image.height // (2 * rows) - height // 2
            tile = image.crop((left, top, left + width, top + height))
            sample.paste(tile, (column * width, row * height))
    return sample, sample.width * sample.height / (image.width * image.height)


def _shrunk(image: Image.Image, scale: float, short_side: int) -> Image.Image:
    scale = min(max(scale, 0.1), 0.85)
    short = min(image.size)
    return _resized(image, max(scale, short_side / short) if short > short_side else scale)


def _reduced(animation: Animation, scale: float) -> Animation:
    """Scale down to SMALL_SIDE; below that drop every second frame; with two frames left, scale down further."""
    side = max(animation.frames[0].size)
    if side <= SMALL_SIDE and len(animation.frames) > 2:
        return _every_second_frame(animation)
    scale = min(max(scale, 0.1), 0.85)
    if side > SMALL_SIDE:
        scale = max(scale, SMALL_SIDE / side)
    return scaled(animation, scale)


def _every_second_frame(animation: Animation) -> Animation:
    """Drop every second frame and add its duration to the frame before it. Needs three frames or more."""
    frames, durations = animation.frames[::2], animation.durations
    merged = [sum(durations[i : i + 2]) for i in range(0, len(durations), 2)]
    return replace(animation, frames=frames, durations=merged)


def _resized(image: Image.Image, scale: float) -> Image.Image:
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _encode(image: Image.Image, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def _encode_animation(animation: Animation, quality: int) -> bytes:
    """`kmin` and `kmax` 0: no key frames, which serve only for seeking and double the size.

    `allow_mixed` encodes each frame lossless where that is smaller, which cuts drawn stickers to a third.
    Method 0 is the fastest: an animation has many frames, and a job has 5 s in all.
    """
    out = BytesIO()
    first, *rest = animation.frames
    first.save(
        out,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=list(animation.durations),
        loop=animation.loop,
        background=(0, 0, 0, 0),
        quality=quality,
        method=0,
        kmin=0,
        kmax=0,
        allow_mixed=True,
    )
    return out.getvalue()
