"""Animated WebP whose frames are opaque and leave a part of the canvas uncovered, as libwebp writes them."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from chatserver.media import webp_transparency
from tests.media import samples
from tests.media.test_images import render

RED, BLUE = (255, 0, 0, 255), (0, 0, 255, 255)


def half_red(size: tuple[int, int] = (48, 48)) -> bytes:
    """Two frames of 96 × 48 px; the second one is a small square."""
    frames = [Image.new("RGBA", (96, 48)) for _ in range(2)]
    for frame in frames:
        frame.paste(RED, (0, 0, *size))
    frames[1].paste(BLUE, (8, 8, 24, 24))
    data = samples.animation(frames, "WEBP", lossless=True, background=(0, 0, 0, 0))
    assert samples.opened(data).mode == "RGB"
    return data


def test_what_no_frame_covers_is_transparent(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(half_red())
    image, _ = render(tmp_path / "file")
    assert image.convert("RGBA").getpixel((80, 10)) == (0, 0, 0, 0)
    assert image.convert("RGBA").getpixel((30, 10)) == RED


def test_what_is_cleared_after_a_frame_is_transparent() -> None:
    data = bytearray(half_red((96, 48)))
    assert webp_transparency.marked(bytes(data)) == data
    data[data.index(b"ANMF") + 23] |= 1
    image = samples.opened(webp_transparency.marked(bytes(data)))
    image.seek(1)
    assert image.convert("RGBA").getpixel((80, 10)) == (0, 0, 0, 0)
    assert image.convert("RGBA").getpixel((10, 10)) == BLUE


def test_other_files_stay_as_they_are() -> None:
    for data in (b"", b"RIFF", half_red((96, 48)), (samples.FILES / "cwebp.webp").read_bytes()):
        assert webp_transparency.marked(data) == data
