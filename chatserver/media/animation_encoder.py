"""Encodes an animation as AVIF, or as WebP, of at most a given number of bytes. No I/O.

In 110 KB, AVIF keeps forty frames of 480 × 360 px, and WebP ten of them with 200 × 150 px, because AVIF codes motion
and WebP only changed pixels. Small drawn animations stay WebP if that fits, because every browser reads WebP and their
pixels stay exact.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

from chatserver.media import avif_repetition, webp_transparency
from chatserver.media.animation import Animation, reduced
from chatserver.media.encoded import EncodedImage, check_limit
from chatserver.media.quality_search import Rules, estimated_quality

# WebP is tried first for an animation with at most this number of pixels in all frames. It takes 0.1 s per million.
WEBP_FIRST_PIXELS = 2_500_000
WEBP_QUALITY, WEBP_QUALITY_MIN = 70, 40
_WEBP_RULES = Rules(low=WEBP_QUALITY_MIN, top=WEBP_QUALITY, attempts=0, good_share=1, halving=40, doubling=20)
# A WebP is first scaled down to this side length in pixels, then loses frames, then is scaled down further.
WEBP_SMALL_SIDE = 200

AVIF_SPEED = 10
AVIF_QUALITY, AVIF_QUALITY_MIN = 60, 22
_AVIF_RULES = Rules(low=AVIF_QUALITY_MIN, top=AVIF_QUALITY, attempts=0, good_share=1, halving=20, doubling=20)
AVIF_SMALL_SIDE = 320


def fit(animation: Animation, limit: int) -> EncodedImage:
    """Encode in at most `limit` bytes: at a lower quality, then scaled down, then with fewer frames.

    Keeps the total duration and at least two frames. Raises ValueError for a `limit` below LIMIT_BYTES_MIN.
    """
    check_limit(limit)
    if animation.pixels <= WEBP_FIRST_PIXELS and len(data := _webp(animation, WEBP_QUALITY)) <= limit:
        return EncodedImage(data, *animation.size)
    return _fit(animation, limit, _avif_bytes, _AVIF_RULES, AVIF_SMALL_SIDE)


def fit_webp(animation: Animation, limit: int) -> EncodedImage:
    """Encode as `fit` does, but always as WebP."""
    check_limit(limit)
    return _fit(animation, limit, _webp, _WEBP_RULES, WEBP_SMALL_SIDE)


def _fit(
    animation: Animation, limit: int, encode: Callable[[Animation, int], bytes], rules: Rules, small_side: int
) -> EncodedImage:
    quality = rules.top
    while True:
        data = encode(animation, quality)
        if len(data) <= limit:
            return EncodedImage(data, *animation.size)
        estimated = estimated_quality(quality, len(data), limit, rules)
        if quality > rules.low:
            # Lower the quality as far as the rules allow; save the remaining bytes by scaling down.
            quality = max(estimated, rules.low)
            if estimated >= rules.low:
                continue
        animation = reduced(animation, 2 ** ((estimated - quality) / (2 * rules.halving)), small_side)


def _webp(animation: Animation, quality: int) -> bytes:
    """Encode as WebP. `kmin` and `kmax` 0: no key frames, which serve only for seeking and double the size.

    `allow_mixed` encodes a frame lossless if that is smaller, which cuts drawn stickers to a third.
    Method 0 is the fastest; an animation has many frames.
    """
    data = _saved(
        animation,
        "WEBP",
        loop=animation.loop,
        background=(0, 0, 0, 0),
        quality=quality,
        method=0,
        kmin=0,
        kmax=0,
        allow_mixed=True,
    )
    return webp_transparency.marked(data)


def _avif_bytes(animation: Animation, quality: int) -> bytes:
    """Encode as AVIF.

    `range` limited: Chromium 156 shows an animated AVIF of full range, which is Pillow's default, with too much
    contrast: values below 16 become 0, and values above 235 become 255.
    """
    data = _saved(animation, "AVIF", quality=quality, speed=AVIF_SPEED, range="limited", max_threads=1)
    return avif_repetition.repeated(data, animation.loop)


def _saved(animation: Animation, format: str, **options: Any) -> bytes:
    """The durations are a list: for a single number Pillow writes 1 ms for all frames of an AVIF but the first."""
    out = BytesIO()
    first, *rest = animation.frames
    first.save(out, format, save_all=True, append_images=rest, duration=list(animation.durations), **options)
    return out.getvalue()
