"""How many pixels and which quality a photograph gets."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from chatserver.media import avif_photographs, images, photographs, webp
from chatserver.media.avif_photographs import LEVEL_MAX, LEVEL_MIN
from tests.media import samples

LIMIT = 200 * samples.KIB


def busy(width: int, height: int) -> Image.Image:
    """Something changes at every seventh pixel, as in leaves."""
    fine = samples.noise("RGB", width // 7, height // 7).point([96 + value // 5 for value in range(256)] * 3)
    return fine.resize((width, height), Image.Resampling.BICUBIC)


def calm(width: int, height: int) -> Image.Image:
    return samples.photo(width, height).filter(ImageFilter.GaussianBlur(6))


def level_bytes(image: Image.Image, level: int) -> int:
    return len(avif_photographs.encode_level(image, level))


def stored_side(path: Path) -> int:
    rendered = images.picture(path, LIMIT)
    assert len(rendered.image) <= LIMIT
    return max(rendered.width, rendered.height)


@pytest.mark.parametrize(
    ("size", "side"),
    [
        ((2560, 1600), photographs.BUSY_SIDE),
        ((3088, 2056), photographs.BUSY_SIDE),
        # Half of its sides is decoded, which is still more.
        ((4000, 2600), photographs.BUSY_SIDE),
        # As it is: it has fewer than LONG_SIDE.
        ((1920, 1280), 1920),
    ],
)
def test_a_busy_photograph_has_fewer_pixels(tmp_path: Path, size: tuple[int, int], side: int) -> None:
    assert stored_side(samples.save(busy(*size), tmp_path / "file", "JPEG", quality=90)) == side


@pytest.mark.parametrize(
    ("size", "side"),
    [
        ((2560, 1600), photographs.CALM_SIDE),
        ((3088, 2056), photographs.CALM_SIDE),
        ((4352, 2448), 2176),
        ((2048, 1280), 2048),
    ],
)
def test_a_calm_photograph_has_more_pixels(tmp_path: Path, size: tuple[int, int], side: int) -> None:
    assert stored_side(samples.save(calm(*size), tmp_path / "file", "JPEG", quality=90)) == side


def test_a_longer_picture_than_cameras_make_keeps_its_pixels(tmp_path: Path) -> None:
    """It is a screenshot, mostly, and its text is busy."""
    path = samples.save(busy(1000, 2000), tmp_path / "file", "JPEG", quality=90)
    assert stored_side(path) == 2000
    path = samples.save(busy(1200, 2600), tmp_path / "file", "JPEG", quality=90)
    assert stored_side(path) == photographs.CALM_SIDE


def test_a_turned_photograph_is_turned_once(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = samples.save(calm(3088, 2056), tmp_path / "file", "JPEG", quality=90, exif=exif)
    rendered = images.picture(path, LIMIT)
    assert rendered.height == photographs.CALM_SIDE
    assert samples.opened(rendered.thumb).size == (320, 480)


@pytest.mark.parametrize("picture", [busy, calm, samples.photo])
@pytest.mark.parametrize("limit", [100 * samples.KIB, LIMIT])
def test_a_photograph_has_the_highest_level_that_fits_or_the_one_below(
    picture: Callable[[int, int], Image.Image], limit: int
) -> None:
    image = picture(1600, 1000)
    best = bisect_right(range(LEVEL_MAX + 1), limit, lo=LEVEL_MIN, key=partial(level_bytes, image)) - 1
    found = avif_photographs.fit_photograph(image, limit)
    assert found[1:] == image.size
    assert len(found.data) in (level_bytes(image, best), level_bytes(image, best - 1))


def test_a_photograph_that_does_not_fit_at_the_lowest_level_is_scaled() -> None:
    image = samples.noise("RGB", 1200, 900)
    found = avif_photographs.fit_photograph(image, 60 * samples.KIB)
    assert len(found.data) <= 60 * samples.KIB
    assert 300 <= found.width < 1200
    assert samples.opened(found.data).size == (found.width, found.height)


def test_a_transparent_photograph_keeps_its_transparency() -> None:
    image = calm(1000, 800).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    found = avif_photographs.fit_photograph(image, LIMIT)
    assert len(found.data) <= LIMIT
    assert samples.opened(found.data).getchannel("A").getextrema() == (0, 255)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_grey_photograph_is_no_drawing(mode: str) -> None:
    grey = samples.photo(320, 240).convert("L").convert(mode)
    assert len(grey.getcolors() or ()) > webp.FLAT_GREYS_MAX
    assert not webp.is_flat(grey)


def test_a_drawing_has_few_colours_or_few_greys() -> None:
    coloured = samples.photo(320, 240).quantize(200).convert("RGB")
    grey = samples.photo(320, 240).convert("L").point([value & 0xF0 for value in range(256)])
    assert webp.is_flat(coloured) and webp.is_flat(grey)


def test_the_expected_level_falls_with_the_bytes_of_the_jpeg() -> None:
    levels = [avif_photographs.expected_level(LIMIT * share // 10, LIMIT) for share in (1, 5, 10, 20, 100)]
    assert levels == sorted(levels, reverse=True)
    assert (levels[0], levels[-1]) == (LEVEL_MAX, LEVEL_MIN)
    assert LEVEL_MIN < levels[2] < LEVEL_MAX
