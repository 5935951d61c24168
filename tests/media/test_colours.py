"""A PNG's colours are those that Chromium 156 shows for the same file (read from a canvas)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from chatserver.media import hdr
from chatserver.media.primaries import PRIMARIES, Primaries
from tests.media import samples
from tests.media.test_images import render

Colour = tuple[int, int, int]

RED, GREY, LIGHT, VIOLET = (200, 30, 30), (128, 128, 128), (180, 180, 180), (100, 60, 180)
P3, BT2020, SRGB = 12, 9, 1
LINEAR, GAMMA_22, SRGB_CURVE, BT709_CURVE = 8, 4, 13, 1

# Primaries, transfer, the pixel, and the colour that Chromium 156 shows.
CODE_POINTS: list[tuple[int, int, Colour, Colour]] = [
    (P3, SRGB_CURVE, RED, (218, 0, 6)),
    (P3, SRGB_CURVE, VIOLET, (107, 58, 187)),
    (P3, SRGB_CURVE, GREY, GREY),
    (SRGB, BT709_CURVE, RED, (197, 18, 18)),
    (SRGB, BT709_CURVE, GREY, (121, 121, 121)),
    (SRGB, LINEAR, RED, (229, 96, 96)),
    (SRGB, GAMMA_22, RED, (201, 24, 24)),
    (BT2020, BT709_CURVE, RED, (246, 0, 0)),
    (BT2020, BT709_CURVE, VIOLET, (99, 37, 184)),
]
# Between two steps of the table that converts a high dynamic range to sRGB, the error is up to 11 of 255.
HIGH_RANGE: list[tuple[int, int, Colour, Colour]] = [
    (BT2020, hdr.PQ, RED, (255, 0, 0)),
    (BT2020, hdr.PQ, GREY, (132, 132, 132)),
    (BT2020, hdr.PQ, LIGHT, (242, 242, 242)),
    (BT2020, hdr.PQ, VIOLET, (0, 0, 254)),
    (P3, hdr.PQ, VIOLET, (62, 14, 253)),
    (BT2020, hdr.HLG, RED, (229, 0, 0)),
    (BT2020, hdr.HLG, GREY, (99, 99, 99)),
    (BT2020, hdr.HLG, LIGHT, (166, 166, 166)),
    (BT2020, hdr.HLG, VIOLET, (78, 34, 149)),
]


@pytest.mark.parametrize(("primaries", "transfer", "pixel", "browser"), CODE_POINTS)
def test_code_points_lead_to_the_colours_of_a_browser(
    tmp_path: Path, primaries: int, transfer: int, pixel: Colour, browser: Colour
) -> None:
    assert_near(shown(tmp_path, pixel, (b"cICP", bytes((primaries, transfer, 0, 1)))), browser, by=1)


@pytest.mark.parametrize(("primaries", "transfer", "pixel", "browser"), HIGH_RANGE)
def test_a_high_dynamic_range_leads_to_the_colours_of_a_browser(
    tmp_path: Path, primaries: int, transfer: int, pixel: Colour, browser: Colour
) -> None:
    assert_near(shown(tmp_path, pixel, (b"cICP", bytes((primaries, transfer, 0, 1)))), browser, by=11)


@pytest.mark.parametrize(
    ("gamma", "pixel", "browser"),
    [
        (100_000, GREY, (188, 188, 188)),
        (100_000, RED, (229, 96, 96)),
        (55_556, GREY, (146, 146, 146)),
        (45_455, RED, RED),
        (22_727, RED, (158, 0, 0)),
        (0, RED, RED),
        (2**31, RED, RED),
    ],
)
def test_a_gamma_leads_to_the_colours_of_a_browser(tmp_path: Path, gamma: int, pixel: Colour, browser: Colour) -> None:
    assert_near(shown(tmp_path, pixel, (b"gAMA", struct.pack(">I", gamma))), browser, by=1)


def test_a_gamma_of_greys_leads_to_the_greys_of_a_browser(tmp_path: Path) -> None:
    data = png((128,), 0, (b"gAMA", struct.pack(">I", 100_000)))
    assert_near(pixel_of(tmp_path, data), (188, 188, 188), by=1)


CHROMATICITIES_OF_P3 = (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))
GAMMA_OF_SRGB = (b"gAMA", struct.pack(">I", 45_455))
LINEAR_GAMMA = (b"gAMA", struct.pack(">I", 100_000))


def test_chromaticities_count_beside_a_gamma_and_not_alone(tmp_path: Path) -> None:
    assert_near(shown(tmp_path, RED, GAMMA_OF_SRGB, CHROMATICITIES_OF_P3), (220, 0, 0), by=1)
    assert shown(tmp_path, RED, CHROMATICITIES_OF_P3) == RED


@pytest.mark.parametrize("points", [(0,) * 8, (31270, 32900, 10, 10, 10, 10, 10, 10), (2**31,) * 8])
def test_chromaticities_of_no_display_are_ignored(tmp_path: Path, points: tuple[int, ...]) -> None:
    assert shown(tmp_path, RED, GAMMA_OF_SRGB, (b"cHRM", struct.pack(">8I", *points))) == RED


def test_of_several_the_first_in_the_order_of_the_specification_counts(tmp_path: Path) -> None:
    """cICP, iCCP, sRGB, gAMA (PNG specification, third edition, section 13.13)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    of_srgb = (b"iCCP", b"a\0\0" + zlib.compress(profile))
    of_p3 = (b"cICP", bytes((P3, SRGB_CURVE, 0, 1)))
    assert_near(shown(tmp_path, RED, of_srgb, LINEAR_GAMMA, of_p3), (218, 0, 6), by=1)
    assert shown(tmp_path, RED, LINEAR_GAMMA, of_srgb) == RED
    assert shown(tmp_path, RED, LINEAR_GAMMA, (b"sRGB", b"\0")) == RED


@pytest.mark.parametrize("points", [b"", b"\x0c\x0d\0", bytes((P3, SRGB_CURVE, 1, 1)), bytes((200, 200, 0, 1))])
def test_code_points_that_are_unknown_are_ignored(tmp_path: Path, points: bytes) -> None:
    assert shown(tmp_path, RED, (b"cICP", points)) == RED


def test_an_animation_is_converted_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    frames = [Image.new("RGB", (40, 40), RED), Image.new("RGB", (40, 40), VIOLET)]
    data = samples.save_animation(frames, path, "PNG").read_bytes()
    path.write_bytes(data[:33] + samples.png_chunk(b"cICP", bytes((P3, SRGB_CURVE, 0, 1))) + data[33:])
    image, _ = render(path)
    assert getattr(image, "n_frames", 1) == 2
    pixel = image.convert("RGB").getpixel((20, 20))
    assert isinstance(pixel, tuple)
    assert_near(pixel, (218, 0, 6), by=6)


def test_primaries_on_a_line_or_without_light_cannot_be_inverted() -> None:
    assert all(each.is_possible for each in PRIMARIES.values())
    assert not Primaries((0.1, 0.1), (0.2, 0.2), (0.3, 0.3)).is_possible
    assert not Primaries((0.64, 0.33), (0.3, 0.6), (0.15, 0.06), (0.3, 0.0)).is_possible


def shown(tmp_path: Path, pixel: Colour, *chunks: tuple[bytes, bytes]) -> tuple[int, ...]:
    return pixel_of(tmp_path, png(pixel, 2, *chunks))


def png(pixel: tuple[int, ...], colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", 16, 16, 8, colour, 0, 0, 0)
    return samples.png(header, *chunks, (b"IDAT", zlib.compress((b"\0" + bytes(pixel) * 16) * 16)))


def pixel_of(tmp_path: Path, data: bytes) -> tuple[int, ...]:
    path = tmp_path / "file"
    path.write_bytes(data)
    found = render(path)[0].convert("RGB").getpixel((8, 8))
    assert isinstance(found, tuple)
    return found


def assert_near(found: tuple[int, ...], wanted: tuple[int, ...], by: int) -> None:
    assert max(abs(a - b) for a, b in zip(found, wanted, strict=True)) <= by, (found, wanted)
