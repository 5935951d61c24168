"""An animation in memory, and its bounds: fewer pixels, fewer frames, the same duration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from chatserver.media.quality_search import resized


@dataclass(frozen=True, slots=True)
class Animation:
    """Frames of one size (RGB or RGBA), each with its duration in ms; `loop` is a count, 0 for endless."""

    frames: Sequence[Image.Image]
    durations: Sequence[int]
    loop: int

    @property
    def size(self) -> tuple[int, int]:
        return self.frames[0].size

    @property
    def pixels(self) -> int:
        """The number of pixels of all frames together."""
        width, height = self.size
        return width * height * len(self.frames)


def scaled(animation: Animation, scale: float) -> Animation:
    """The animation with its side lengths multiplied by `scale`; unchanged for a `scale` of 1 or more."""
    if scale >= 1:
        return animation
    return replace(animation, frames=[resized(frame, scale) for frame in animation.frames])


def every_second_frame(animation: Animation) -> Animation:
    """Drop every second frame and add its duration to the frame before it. Needs three frames or more."""
    frames, durations = animation.frames[::2], animation.durations
    merged = [sum(durations[i : i + 2]) for i in range(0, len(durations), 2)]
    return replace(animation, frames=frames, durations=merged)


def reduced(animation: Animation, scale: float, small_side: int) -> Animation:
    """Scale down to `small_side` px; below that drop every second frame; with two frames left, scale down further."""
    side = max(animation.size)
    if side <= small_side and len(animation.frames) > 2:
        return every_second_frame(animation)
    scale = min(max(scale, 0.1), 0.85)
    if side > small_side:
        scale = max(scale, small_side / side)
    return scaled(animation, scale)
