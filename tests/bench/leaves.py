"""A picture with the features that make photographs hard to encode: edges at every scale, objects in front of others,
grain."""

from __future__ import annotations

import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

_COLOURS, _SHADES = 24, 30
_LEAST_RADIUS = 8.0
_TILE = 512


def dead_leaves(width: int, height: int, count: int = 60_000, seed: int = 1) -> Image.Image:
    """Discs that cover each other, with radii distributed as r to the power of -3: the statistics of natural images.

    Lee, Mumford, Huang: Occlusion Models for Natural Images (2001). Seeded, so the picture is the same on every run.
    """
    chance = random.Random(seed)
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    colours = [tuple(chance.randrange(256) for _ in range(3)) for _ in range(_COLOURS)]
    smallest, largest = _LEAST_RADIUS**-2, (width / 5) ** -2
    for _ in range(count):
        r = (smallest + (largest - smallest) * chance.random()) ** -0.5
        x, y = chance.uniform(-r, width + r), chance.uniform(-r, height + r)
        shade = chance.randint(-_SHADES, _SHADES)
        colour = tuple(min(255, max(0, band + shade)) for band in chance.choice(colours))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    return ImageChops.add(image.filter(ImageFilter.GaussianBlur(1.2)), _grain(width, height, chance), 1, -128)


def _grain(width: int, height: int, chance: random.Random) -> Image.Image:
    """Add the noise of a sensor: at most two of 255, around 128."""
    tile = Image.frombytes("L", (_TILE, _TILE), bytes(chance.choices(range(126, 131), k=_TILE * _TILE)))
    grain = Image.new("L", (width, height))
    for left in range(0, width, _TILE):
        for top in range(0, height, _TILE):
            grain.paste(tile, (left, top))
    return Image.merge("RGB", (grain, grain, grain))
