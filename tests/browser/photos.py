"""Drawn pictures that look like photographs, so that no person and no copyright is affected."""

from __future__ import annotations

import io
import itertools
import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

Colour = tuple[int, int, int]


def lake(width: int = 1440, height: int = 810) -> bytes:
    """Draw mountains behind a lake, at sunset."""
    chance = random.Random(7)
    horizon = int(height * 0.58)
    picture = _gradient(width, horizon, [(46, 58, 105), (170, 105, 125), (250, 185, 120)])
    sun = Image.new("RGB", (width, horizon))
    ImageDraw.Draw(sun).ellipse((920, 270, 1040, 390), fill=(255, 220, 150))
    picture = ImageChops.screen(picture, sun.filter(ImageFilter.GaussianBlur(60)))
    picture = ImageChops.screen(picture, sun.filter(ImageFilter.GaussianBlur(4)))
    for depth in range(4):
        shade: Colour = (92 - depth * 22, 74 - depth * 16, 106 - depth * 20)
        ridge = _ridge(chance, width, int(horizon * (0.55 + depth * 0.11)), 110 - depth * 19)
        ImageDraw.Draw(picture).polygon([(0, horizon), *ridge, (width, horizon)], fill=shade)
    water = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, height - horizon))
    dusk = Image.new("RGB", water.size, (205, 205, 225))
    water = ImageChops.multiply(water.filter(ImageFilter.GaussianBlur(5)), dusk)
    ripples = ImageDraw.Draw(water)
    for _ in range(900):
        x, y = chance.randrange(width), int((height - horizon) * chance.random() ** 0.7)
        light = water.getpixel((x, y))
        assert isinstance(light, tuple)
        length = 10 + y // 6
        ripples.line((x, y, x + length, y), fill=tuple(min(255, value + 16) for value in light), width=1 + y // 240)
    whole = Image.new("RGB", (width, height))
    whole.paste(picture, (0, 0))
    whole.paste(water, (0, horizon))
    return _developed(whole)


def oranges(width: int = 1280, height: int = 640) -> bytes:
    """Draw a crate of oranges, seen from above."""
    chance = random.Random(3)
    picture = _gradient(width, height, [(92, 66, 40), (58, 40, 24)])
    radius = 128
    for row in range(-1, height // 190 + 2):
        for column in range(-1, width // 215 + 2):
            x = column * 215 + (row % 2) * 107 + chance.randint(-14, 14)
            y = row * 190 + chance.randint(-12, 12)
            _orange(picture, chance, x, y, radius + chance.randint(-10, 12))
    return _developed(picture)


def face(hue: int, size: int = 320) -> bytes:
    """Draw a soft disc of light, as a profile picture."""
    picture = Image.new("HSV", (size, size), (hue, 120, 225)).convert("RGB")
    light = Image.new("RGB", (size, size))
    draw = ImageDraw.Draw(light)
    draw.ellipse((size * 0.3, size * 0.18, size * 0.7, size * 0.58), fill=(235, 225, 205))
    draw.ellipse((size * 0.12, size * 0.64, size * 0.88, size * 1.5), fill=(225, 205, 190))
    return _png(ImageChops.screen(picture, light.filter(ImageFilter.GaussianBlur(3))))


def _orange(picture: Image.Image, chance: random.Random, x: int, y: int, radius: int) -> None:
    fruit = Image.new("RGB", (2 * radius, 2 * radius))
    draw = ImageDraw.Draw(fruit)
    warm = chance.randint(-14, 12)
    for step in range(radius, 0, -2):
        light = math.cos(step / radius * math.pi / 2)
        shift = (radius - step) * 0.28
        fill = (int(178 + 76 * light), int(80 + 88 * light + warm), int(8 + 44 * light))
        box = (radius - step - shift, radius - step - shift, radius + step - shift, radius + step - shift)
        draw.ellipse(box, fill=fill)
    for _ in range(700):
        px, py = chance.randrange(2 * radius), chance.randrange(2 * radius)
        was = fruit.getpixel((px, py))
        assert isinstance(was, tuple)
        draw.point((px, py), fill=tuple(max(0, value - 22) for value in was))
    mask = Image.new("L", fruit.size)
    ImageDraw.Draw(mask).ellipse((2, 2, 2 * radius - 2, 2 * radius - 2), fill=255)
    shadow = Image.new("L", fruit.size)
    ImageDraw.Draw(shadow).ellipse((10, 14, 2 * radius - 2, 2 * radius - 2), fill=150)
    picture.paste((24, 14, 8), (x - radius + 10, y - radius + 14), shadow.filter(ImageFilter.GaussianBlur(9)))
    picture.paste(fruit, (x - radius, y - radius), mask.filter(ImageFilter.GaussianBlur(1)))


def _ridge(chance: random.Random, width: int, base: int, height: int) -> list[tuple[int, int]]:
    """A line of peaks: the middles of ever shorter pieces are moved."""
    points = [(0, base), (width, base)]
    rise = float(height)
    while len(points) < 260:
        halves = []
        for (ax, ay), (bx, by) in itertools.pairwise(points):
            halves += [(ax, ay), ((ax + bx) // 2, int((ay + by) / 2 + chance.uniform(-rise, rise)))]
        points = [*halves, points[-1]]
        rise *= 0.52
    return points


def _gradient(width: int, height: int, colours: list[Colour]) -> Image.Image:
    strip = Image.new("RGB", (1, len(colours)))
    strip.putdata(colours)
    return strip.resize((width, height), Image.Resampling.BICUBIC)


def _developed(picture: Image.Image) -> bytes:
    """Add the grain of a film and the softness of a lens."""
    grain = Image.effect_noise(picture.size, 14).convert("RGB")
    return _png(Image.blend(picture.filter(ImageFilter.GaussianBlur(0.8)), ImageChops.overlay(picture, grain), 0.5))


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
