"""Make WebP that fits a ceiling in bytes, at the best quality that does. Pure: images in, bytes out.

The search is over quality first, then over size, and every round that does not fit leaves less to
encode, so it ends for noise and for the smallest ceiling too.

Numbers here were measured on photographs of 12 megapixels at 200 KB, by their SSIM when shown 2000 px
wide (docs/performance.md). A photograph of 1400 to 1800 px at quality 85 to 92 is better than one of
2000 px at 77, and takes less time. libwebp's method 4 gains 0.003 to 0.006 over method 2 for twice the
time, 6 nothing more for four times; 1 and 0 lose as much again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

from PIL import Image

# A ceiling below this cannot be promised: an empty animation alone has some 150 bytes.
LEAST_LIMIT_BYTES = 1024

FIRST_QUALITY = 80
TOP_QUALITY = 92
# Below this a smaller picture looks better than a worse one.
FLOOR_QUALITY = 30
# A result this near the ceiling is not worth another round; guesses aim between it and 1.
NEAR = 0.88
AIM = 0.95

# A photograph is made smaller rather than worse than TOP_QUALITY, down to so much of its sides.
LEAST_SCALE = 0.7
# Above this, rounds are dear: method 2, fewer of them, and content with a little less.
LARGE_PIXELS = 1_000_000
ROUNDS, ROUNDS_WHEN_LARGE = 6, 3
NEAR_WHEN_LARGE = 0.8
# A sample is aimed a little lower: a whole that is over by a hair costs another round.
SAMPLED = 0.96
# A sample so far over its share, at the lowest quality, speaks for the whole.
HOPELESS = 1.25
FEW_COLOURS = 1024

# An animation is first made this small, then loses frames, then shrinks on.
SMALL_SIDE = 200
MOVING_QUALITY, MOVING_FLOOR = 70, 40


@dataclass(frozen=True, slots=True)
class Fitted:
    """WebP bytes under the ceiling, and the picture's width and height in pixels."""

    data: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Animation:
    """Frames of one size (RGB or RGBA), each with its duration in ms; `loop` 0 means for ever."""

    frames: Sequence[Image.Image]
    durations: Sequence[int]
    loop: int


def fit_still(
    image: Image.Image, limit: int, top: int = TOP_QUALITY, *, is_photograph: bool = False, method: int = 4
) -> Fitted:
    """Encode an RGB or RGBA image in at most `limit` bytes, made smaller where quality alone fails.

    Of a photograph less is better than worse; of writing on a screen every pixel counts. `method` is
    libwebp's, for small pictures: large ones have 2.
    """
    _check(limit)
    data = _flat(image, limit)
    if data is None and is_photograph:
        image = _condensed(image, limit, top)
    while data is None:
        data, floor_bytes = _best_quality(image, limit, top, method)
        if data is None:
            image = _shrunk(image, math.sqrt(limit / floor_bytes))
    return Fitted(data, *image.size)


def fit_square(image: Image.Image, limit: int) -> bytes:
    """Encode a small image whose size is fixed. 256 px of pure noise have 13 KB at the last of these."""
    for quality in (85, 70, 50, 30, 15):
        data = _encode(image, quality=quality, method=4)
        if len(data) <= limit:
            return data
    # Noise in the transparency, which is otherwise lossless.
    return _encode(image, quality=0, alpha_quality=0, method=4)


def fit_animation(animation: Animation, limit: int) -> Fitted:
    """Encode in at most `limit` bytes: at lower quality, then smaller, then with fewer frames.

    The whole duration is kept, and at least two frames.
    """
    _check(limit)
    quality = MOVING_QUALITY
    while True:
        data = _encode_animation(animation, quality)
        if len(data) <= limit:
            return Fitted(data, *animation.frames[0].size)
        wanted = _guess(quality, len(data), limit)
        if quality > MOVING_FLOOR:
            # The guess promises what quality can save; what is left must come from the size.
            quality = max(wanted, MOVING_FLOOR)
            if wanted >= MOVING_FLOOR:
                continue
        animation = _less(animation, 2 ** ((wanted - quality) / 80))


def scaled(animation: Animation, scale: float) -> Animation:
    """The same animation with its sides multiplied by `scale`, at most 1."""
    if scale >= 1:
        return animation
    return replace(animation, frames=[_resized(frame, scale) for frame in animation.frames])


def _check(limit: int) -> None:
    if limit < LEAST_LIMIT_BYTES:
        raise ValueError(f"no picture can be promised to fit {limit} bytes")


def _flat(image: Image.Image, limit: int) -> bytes | None:
    """Drawings and screenshots of few colours: lossless is sharper than any quality, when it fits."""
    if image.getcolors(FEW_COLOURS) is None:
        return None
    data = _encode(image, lossless=True, quality=50, method=2)
    return data if len(data) <= limit else None


def _best_quality(image: Image.Image, limit: int, top: int, method: int) -> tuple[bytes | None, int]:
    """The best that fits, or None; and the smallest size in bytes that was seen or is to be expected.

    A large picture gets its first guess from a sample, since each round costs a tenth of a second.
    """
    first = min(FIRST_QUALITY, top)
    if image.width * image.height <= LARGE_PIXELS:
        tried = _search(image, limit, first, top, ROUNDS, NEAR, method)
        return tried.data, tried.size
    sample, share = _sample(image)
    guess = _search(sample, int(SAMPLED * limit * share), first, top, ROUNDS, NEAR, method=2)
    if guess.size > HOPELESS * limit * share:
        return None, int(guess.size / share)
    tried = _search(image, limit, guess.quality, top, ROUNDS_WHEN_LARGE, NEAR_WHEN_LARGE, method=2)
    return tried.data, tried.size


def _condensed(image: Image.Image, limit: int, top: int) -> Image.Image:
    """As large as `limit` bytes fill at the top quality, but for LEAST_SCALE. Small pictures stay as they are."""
    if image.width * image.height <= LARGE_PIXELS:
        return image
    sample, share = _sample(image)
    scale = math.sqrt(limit * share / len(_encode(sample, quality=top, method=2)))
    return _resized(image, max(scale, LEAST_SCALE)) if scale < 1 else image


@dataclass(frozen=True, slots=True)
class _Tried:
    """How a search ended: `data` is None when even FLOOR_QUALITY, of `size` bytes, is over."""

    quality: int
    data: bytes | None
    size: int


def _search(image: Image.Image, limit: int, first: int, top: int, rounds: int, near: float, method: int) -> _Tried:
    """The best quality up to `top` that fits `limit`, as near as `rounds` encodings come.

    Size over quality is near enough to an exponential that the second or third guess mostly lands.
    When the rounds are used up and nothing fits yet, the floor is tried before giving up.
    """
    quality = max(first, FLOOR_QUALITY)
    under: _Tried | None = None
    over: _Tried | None = None
    while rounds > 0 or under is None:
        rounds -= 1
        data = _encode(image, quality=quality, method=method)
        if len(data) <= limit:
            under = _Tried(quality, data, len(data))
            if len(data) >= near * limit or quality == top:
                break
        else:
            over = _Tried(quality, None, len(data))
            if quality == FLOOR_QUALITY:
                break
        if under and over:
            if over.quality - under.quality <= 1:
                break
            quality = _between(under, over, limit)
        elif rounds > 0:
            quality = min(max(_guess(quality, len(data), limit), FLOOR_QUALITY), top)
        else:
            quality = FLOOR_QUALITY
    return under or over or _Tried(quality, None, limit)


def _guess(quality: int, size: int, limit: int) -> int:
    """Photographs halve in size with 40 steps down, roughly, and double with half as many up."""
    doublings = math.log2(size / (AIM * limit))
    return quality - math.ceil(doublings * (40 if doublings > 0 else 20))


def _between(under: _Tried, over: _Tried, limit: int) -> int:
    """The quality between two tried ones that should land just under the limit, exponentially."""
    part = math.log(AIM * limit / under.size) / math.log(over.size / under.size)
    quality = round(under.quality + part * (over.quality - under.quality))
    return min(max(quality, under.quality + 1), over.quality - 1)


def _sample(image: Image.Image) -> tuple[Image.Image, float]:
    """Some 12 tiles from all over the picture, side by side; and their share of its pixels, about an eighth."""
    columns, rows = 4, 3
    # Whole macroblocks of 16 pixels: a tile's edge costs bits that the picture does not have.
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


def _shrunk(image: Image.Image, scale: float) -> Image.Image:
    return _resized(image, min(max(scale, 0.1), 0.85))


def _less(animation: Animation, scale: float) -> Animation:
    """Less to encode: smaller down to SMALL_SIDE, then every other frame, then smaller on."""
    side = max(animation.frames[0].size)
    if side <= SMALL_SIDE and len(animation.frames) > 2:
        return _thinned(animation)
    scale = min(max(scale, 0.1), 0.85)
    if side > SMALL_SIDE:
        scale = max(scale, SMALL_SIDE / side)
    return scaled(animation, scale)


def _thinned(animation: Animation) -> Animation:
    """Every other frame, each lasting as long as it and its dropped neighbour did. Never fewer than two."""
    frames, durations = animation.frames[::2], animation.durations
    lasting = [sum(durations[i : i + 2]) for i in range(0, len(durations), 2)]
    return replace(animation, frames=frames, durations=lasting)


def _resized(image: Image.Image, scale: float) -> Image.Image:
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)


def _encode(image: Image.Image, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, "WEBP", **options)
    return out.getvalue()


def _encode_animation(animation: Animation, quality: int) -> bytes:
    """`kmin` and `kmax` 0: no key frames, nobody seeks in a sticker and they double the size.

    `allow_mixed` chooses lossless for each frame where that is smaller: drawn stickers shrink to a
    third. Method 0, because an animation has many frames and little time.
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
