"""Files that real tools wrote (files/README.md), against what Chromium 156 shows of them; docs/pictures.md's table."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from chatserver.core.errors import ErrorCode
from chatserver.media import avif_repetition
from chatserver.media.format_names import Unsupported
from tests.media import samples
from tests.media.test_formats import code_and_reason
from tests.media.test_images import assert_shows, near, needs_heif, render

UPRIGHT = [
    "cjpeg.jpg",
    "exiftool-motion.jpg",
    "exiftool-turned.jpg",
    "exiftool-turned.webp",
    "exiftool-xmp.jpg",
    "ffmpeg-yuv.tiff",
    "bigtiff.tiff",
    "heif-enc.avif",
    "imagemagick-cmyk.jpg",
    "imagemagick-cmyk.tiff",
    "imagemagick-rle.bmp",
]


@pytest.mark.parametrize("name", UPRIGHT)
def test_a_picture_is_shown_as_it_is_stored(name: str) -> None:
    assert_shows(render(samples.FILES / name)[0].convert("RGB"), samples.corners())


def test_a_screenshot_keeps_its_exact_pixels() -> None:
    image, _ = render(samples.FILES / "chromium.png")
    with Image.open(samples.FILES / "chromium.png") as original:
        assert image.convert("RGB").tobytes() == original.convert("RGB").tobytes()


@needs_heif
def test_a_heic_of_ten_bits_is_shown() -> None:
    assert_shows(render(samples.FILES / "heif-enc.heic")[0].convert("RGB"), samples.corners())


@pytest.mark.parametrize("name", ["exiftool-turned.png", "tiffset.tiff"])
def test_a_picture_is_turned_by_its_orientation(name: str) -> None:
    turned = samples.corners().transpose(Image.Transpose.ROTATE_270)
    assert_shows(render(samples.FILES / name)[0].convert("RGB"), turned)


def test_an_animation_is_not_turned_by_exif() -> None:
    image, _ = render(samples.FILES / "exiftool-turned-apng.png")
    assert near(image.convert("RGB").getpixel((20, 60)), (250, 190, 30))


# The pixel at the top left as Chromium 156 shows it. The stored value is (200, 30, 30), except in
# libultrahdr.jpg: (255, 0, 0).
COLOURS = {
    "ffmpeg-p3.png": (218, 0, 6),
    "imagemagick.png": (201, 24, 24),
    "libultrahdr.jpg": (188, 3, 2),
    "linear.avif": (229, 96, 98),
    "pngcrush.png": (229, 96, 96),
}


@pytest.mark.parametrize(("name", "browser"), COLOURS.items())
def test_colours_are_those_of_a_browser(name: str, browser: tuple[int, int, int]) -> None:
    image, _ = render(samples.FILES / name)
    assert getattr(image, "n_frames", 1) == 1
    assert near(image.convert("RGB").getpixel((5, 5)), browser, by=2)


@pytest.mark.parametrize(
    ("name", "solid"), [("cwebp.webp", (20, 60)), ("pngquant.png", (20, 60)), ("imagemagick-alpha.bmp", (5, 15))]
)
def test_transparency_is_kept(name: str, solid: tuple[int, int]) -> None:
    image = render(samples.FILES / name)[0].convert("RGBA")
    assert near(image.getpixel(solid), (250, 190, 30, 255), by=3)
    assert image.getpixel((0, 0))[3:] == (0,)  # type: ignore[index]


# The frames' durations in ms, and how often the animation is played (0: for ever), as Chromium 156 plays it.
ANIMATIONS = {
    "apngasm.png": ([125] * 6, 0),
    "ffmpeg-apng.png": ([100] * 6, 2),
    "ffmpeg.gif": ([100] * 6, 1),
    "ffmpeg-twice.avif": ([100] * 6, 2),
    "gif2webp.webp": ([50] * 3, 3),
    "gifsicle.gif": ([50] * 3, 3),
    "img2webp.webp": ([40, 120, 500], 2),
}


@pytest.mark.parametrize(("name", "expected"), ANIMATIONS.items())
def test_an_animation_keeps_its_frames_and_is_played_as_often(name: str, expected: tuple[list[int], int]) -> None:
    image, rendered = render(samples.FILES / name)
    is_avif = image.format == "AVIF"
    plays = avif_repetition.plays(rendered.image) if is_avif else image.info["loop"]
    assert (samples.durations(rendered.image), plays) == expected


@pytest.mark.parametrize("name", ["cjpeg.jpg", "imagemagick.png", "gifsicle.gif", "exiftool-turned.webp"])
def test_a_file_without_its_last_byte_is_taken(tmp_path: Path, name: str) -> None:
    data = (samples.FILES / name).read_bytes()
    (tmp_path / name).write_bytes(data[:-1])
    assert render(tmp_path / name)[0].size == samples.opened(data).size


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ffmpeg.mp4", Unsupported.VIDEO),
        ("imagemagick.psd", Unsupported.PSD),
        ("openjpeg.jp2", Unsupported.JPEG_2000),
        ("picture.jxl", Unsupported.JPEG_XL),
    ],
)
def test_a_format_that_is_not_taken_is_named(name: str, reason: Unsupported) -> None:
    assert code_and_reason(samples.FILES / name) == (ErrorCode.IMAGE_UNSUPPORTED, reason)
