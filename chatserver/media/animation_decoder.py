"""Decodes the frames of an animation one by one and scales each down at once, so that the memory is bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image

from chatserver.media import avif_repetition, colour, stills
from chatserver.media.animation import Animation
from chatserver.media.headers import Kind
from chatserver.media.open_checked import Source

LONG_SIDE = 2048
# The limit of the pixels of all kept frames together. They need 60 to 80 MB, and 0.6 s of processor time for each
# attempt to encode them.
KEPT_PIXELS_MAX = 20_000_000
# The frames are first scaled down to this share of their side lengths; only then are frames dropped.
SCALE_MIN = 0.7
# AVIF of acceptable quality has at least 1/30 of a GIF's bytes. If a file is larger than 30 times the limit, its frames
# are scaled down at once, because an attempt at full size cannot fit.
GAIN_MAX = 30

# Browsers show a frame of 10 ms or less for 100 ms.
_SHORTEST_MS, _DEFAULT_MS = 10, 100


@dataclass(frozen=True, slots=True)
class _Bounds:
    """`side` is the long side of the frames in pixels; every `step`-th frame is kept."""

    side: int
    step: int


def load(source: Source, limit_bytes: int, kept_max: int = KEPT_PIXELS_MAX) -> Animation:
    """Decode the frames as they are displayed, in sRGB, without metadata, with at most `kept_max` pixels in all.

    The duration of a dropped frame is added to the frame before it. Raises what a decoder raises.
    """
    image = source.image
    space = colour.colour_space(source.kind, source.file.data, image)
    # An APNG may begin with a still image for programs without APNG support; it is not part of the animation.
    first = int(getattr(image, "default_image", False))
    bounds = _bounds(image, source.frames - first, source.bytes / limit_bytes, kept_max)
    frames: list[Image.Image] = []
    durations: list[int] = []
    for index in range(first, source.frames):
        image.seek(index)
        image.load()
        if (index - first) % bounds.step == 0:
            frame = colour.to_srgb(stills.shrunk(stills.to_eight_bits(image), bounds.side), space)
            # Copy an 8-bit image that needed no change: it is the decoder's buffer, which the next frame overwrites.
            frames.append(stills.without_metadata(frame.copy() if frame is image else frame))
            durations.append(0)
        durations[-1] += _duration(image)
    return Animation(frames, durations, _plays(source))


def _bounds(image: Image.Image, frames: int, excess: float, kept_max: int) -> _Bounds:
    """Choose the side and the step. `excess` is the file's length divided by the size limit of the result."""
    side = max(image.size)
    fitting = min(1.0, LONG_SIDE / side, math.sqrt(max(GAIN_MAX / excess, 0.01)))
    pixels = image.width * image.height * frames * fitting**2
    if pixels <= kept_max:
        return _Bounds(max(1, int(side * fitting)), 1)
    step = min(math.ceil(pixels * SCALE_MIN**2 / kept_max), max(1, frames // 2))
    scale = min(1.0, math.sqrt(kept_max * step / pixels))
    return _Bounds(max(1, int(side * fitting * scale)), step)


def _plays(source: Source) -> int:
    """The number of times that the animation is played; 0 for endless.

    The loop count of a GIF is the number of repetitions after the first time, as Chromium and Firefox understand it. A
    GIF without a loop count is played once.
    """
    if source.kind is Kind.AVIF:
        return avif_repetition.plays(source.file.data)
    info = source.image.info
    if source.kind is Kind.GIF and info.get("loop"):
        return min(1 + int(info["loop"]), avif_repetition.PLAYS_MAX)
    return int(info.get("loop", 1))


def _duration(image: Image.Image) -> int:
    """The frame's duration in ms, as browsers show it."""
    duration = round(image.info.get("duration", 0))
    return duration if duration > _SHORTEST_MS else _DEFAULT_MS
