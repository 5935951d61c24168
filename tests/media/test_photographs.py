"""How many pixels and which quality a photograph gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from chatserver.media import images, photographs, quality_search
from tests.media import samples

LIMIT = 200 * samples.KIB
RULES = quality_search.Rules(low=25, top=92, attempts=3, good_share=0.84, halving=14, doubling=14)


def busy(width: int, height: int) -> Image.Image:
    """Something changes at every seventh pixel, as in leaves."""
    fine = samples.noise("RGB", width // 7, height // 7).point([96 + value // 5 for value in range(256)] * 3)
    return fine.resize((width, height), Image.Resampling.BICUBIC)


def calm(width: int, height: int) -> Image.Image:
    return samples.photo(width, height).filter(ImageFilter.GaussianBlur(6))


def stored_side(path: Path) -> int:
    rendered = images.picture(path, LIMIT)
    assert len(rendered.image) <= LIMIT
    return max(rendered.width, rendered.height)


@pytest.mark.parametrize(
    ("size", "side"),
    [
        ((2560, 1600), photographs.BUSY_SIDE),
        # Half of its sides is decoded, and not scaled again.
        ((3088, 2056), 1544),
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
        # Half of its sides would be too few: it is decoded once more.
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


def test_a_turned_photograph_that_is_decoded_twice_is_turned_once(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = samples.save(calm(3088, 2056), tmp_path / "file", "JPEG", quality=90, exif=exif)
    rendered = images.picture(path, LIMIT)
    assert rendered.height == photographs.CALM_SIDE
    assert samples.opened(rendered.thumb).size == (320, 480)


@pytest.mark.parametrize("halving", [9, 14, 25])
@pytest.mark.parametrize("first", [25, 40, 60, 92])
def test_the_quality_of_a_sample_is_found_in_three_attempts(first: int, halving: int) -> None:
    tried: list[int] = []

    def encode(quality: int) -> bytes:
        tried.append(quality)
        return bytes(round(100_000 * 2 ** ((quality - 55) / halving)))

    found = quality_search.quality_of_sample(encode, 100_000, first, RULES)
    assert len(tried) <= RULES.attempts
    assert 51 <= found.quality <= 55
    assert found.size <= 100_000


def test_a_sample_that_is_too_large_at_the_lowest_quality_says_how_large() -> None:
    found = quality_search.quality_of_sample(lambda quality: bytes(1000 * quality), 10_000, 60, RULES)
    assert (found.quality, found.size) == (RULES.low, 25_000)
