"""Animations: every frame, its duration and its position, within limits of memory and processor time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from chatserver.media import animation_decoder, avif_repetition, images
from tests.media import samples
from tests.media.test_images import LIMIT, near, render

ROOT = Path(__file__).parents[2]


def drawn_frames(count: int, width: int, height: int) -> list[Image.Image]:
    """Frames with a palette, so that a GIF of hundreds of them is written fast: a bar that moves over a page of
    text."""
    page = Image.new("P", (width, height), 0)
    page.putpalette([value for index in range(256) for value in (index, 255 - index, index // 2)])
    draw = ImageDraw.Draw(page)
    for top in range(0, height, 20):
        draw.line((10, top, width - 10, top), fill=top % 200 + 20, width=6)
    frames = []
    for index in range(count):
        frame = page.copy()
        ImageDraw.Draw(frame).rectangle((index * width // count, 30, index * width // count + 40, 90), fill=250)
        frames.append(frame)
    return frames


def test_a_film_keeps_its_size_and_all_frames(tmp_path: Path) -> None:
    path = samples.save_animation(samples.film_frames(40, 480, 360), tmp_path / "file", "WEBP", quality=80)
    image, rendered = render(path)
    assert (image.format, image.size, getattr(image, "n_frames", 1)) == ("AVIF", (480, 360), 40)
    assert samples.durations(rendered.image) == [80] * 40


def test_a_gif_of_many_frames_is_made_smaller_while_it_is_decoded(tmp_path: Path) -> None:
    path = samples.save_animation(drawn_frames(300, 498, 280), tmp_path / "file", "GIF", duration=40)
    image, rendered = render(path)
    frames = getattr(image, "n_frames", 1)
    assert frames >= 150
    assert image.width * image.height * frames <= animation_decoder.KEPT_PIXELS_MAX
    assert image.width >= 0.69 * 498
    assert sum(samples.durations(rendered.image)) == 300 * 40


TIMES = [40, 80, 120, 500, 100]


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "AVIF"])
@pytest.mark.parametrize("side", [120, 900])
def test_each_frame_keeps_its_time(tmp_path: Path, format: str, side: int) -> None:
    frames = samples.sticker_frames(5, side)
    image, rendered = render(samples.save_animation(frames, tmp_path / "file", format, duration=TIMES, disposal=2))
    assert image.format == ("WEBP" if side == 120 else "AVIF")
    assert samples.durations(rendered.image) == TIMES


def test_frames_that_ask_for_no_time_get_what_browsers_give_them_in_avif_too(tmp_path: Path) -> None:
    path = samples.save_animation(
        samples.sticker_frames(3, 950), tmp_path / "file", "GIF", duration=[0, 10, 20], disposal=2
    )
    assert samples.durations(render(path)[1].image) == [100, 100, 20]


@pytest.mark.parametrize("loop", [0, 1, 3])
@pytest.mark.parametrize("format", ["WEBP", "PNG"])
def test_an_avif_is_played_as_often_as_the_file(tmp_path: Path, format: str, loop: int) -> None:
    path = samples.save_animation(samples.sticker_frames(4, 900), tmp_path / "file", format, loop=loop, disposal=2)
    image, rendered = render(path)
    assert image.format == "AVIF"
    assert avif_repetition.plays(rendered.image) == loop
    (tmp_path / "stored").write_bytes(rendered.image)
    assert samples.opened(images.webp_copy(tmp_path / "stored", LIMIT).image).info["loop"] == loop


def test_an_animation_of_avifenc_keeps_its_frames_times_and_transparency() -> None:
    image, rendered = render(samples.FILES / "moving.avif")
    assert samples.durations(rendered.image) == [40, 120, 500, 500]
    assert image.convert("RGBA").getpixel((90, 90))[3:] == (0,)  # type: ignore[index]
    assert near(image.convert("RGBA").getpixel((20, 60)), (250, 190, 30, 255))


def test_an_animation_of_ffmpeg_is_taken() -> None:
    image, rendered = render(samples.FILES / "ffmpeg.avif")
    assert image.size == (160, 120)
    assert samples.durations(rendered.image) == [100] * 10


def test_the_cover_of_a_large_apng_is_not_a_frame_of_the_avif(tmp_path: Path) -> None:
    frames = samples.sticker_frames(4, 900)
    cover = Image.new("RGBA", frames[0].size, "red")
    path = samples.save_animation([cover, *frames], tmp_path / "file", "PNG", default_image=True, duration=TIMES[:4])
    image, rendered = render(path)
    assert image.format == "AVIF"
    assert samples.durations(rendered.image) == TIMES[:4]
    assert not near(image.convert("RGBA").getpixel((800, 800)), (255, 0, 0, 255))


def test_a_copy_as_webp_moves_and_keeps_its_time(tmp_path: Path) -> None:
    path = samples.save_animation(samples.film_frames(40, 480, 360), tmp_path / "file", "WEBP", quality=80)
    (tmp_path / "stored.avif").write_bytes(render(path)[1].image)
    copy = images.webp_copy(tmp_path / "stored.avif", LIMIT)
    image = samples.opened(copy.image)
    assert image.format == "WEBP" and getattr(image, "n_frames", 1) >= 2
    assert len(copy.image) <= LIMIT
    assert sum(samples.durations(copy.image)) == 40 * 80
    assert samples.opened(copy.thumb).format == "WEBP"


@pytest.mark.parametrize("format", ["GIF", "AVIF"])
def test_the_largest_animation_that_is_accepted_stays_within_the_memory(tmp_path: Path, format: str) -> None:
    """The peak memory of a worker, whose address space is limited; measured in a process of its own."""
    side, count = 3500, 12
    path = tmp_path / "file"
    if format == "GIF":
        samples.save_animation(drawn_frames(count, side, side), path, format)
    else:
        frames = [frame.convert("RGB") for frame in drawn_frames(count, side, side)]
        samples.save_animation(frames, path, format, duration=[80] * count, quality=0)
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from chatserver.media import images, worker\n"
        "resource.setrlimit(resource.RLIMIT_AS, (worker.MEMORY_BYTES,) * 2)\n"
        "rendered = images.picture(Path(sys.argv[1]), 200 * 1024)\n"
        "print(len(rendered.image))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) <= LIMIT


def test_an_animated_avif_has_a_limited_range_of_values(tmp_path: Path) -> None:
    """Chromium 156 shows one of full range with too much contrast (tests/browser/test_animations.py)."""
    path = samples.save_animation(samples.film_frames(40, 480, 360), tmp_path / "file", "WEBP", quality=80)
    data = render(path)[1].image
    at = data.index(b"colrnclx")
    assert data[at + 14] & 0x80 == 0  # ISO/IEC 14496-12, section 12.1.5: full_range_flag


def test_the_loop_count_of_a_gif_does_not_count_the_first_time(tmp_path: Path) -> None:
    for count, plays in ((None, 1), (0, 0), (1, 2), (2, 3), (65_535, 65_535)):
        options = {} if count is None else {"loop": count}
        frames = samples.sticker_frames(3)
        frames[0].save(tmp_path / "file", "GIF", save_all=True, append_images=frames[1:], disposal=2, **options)
        assert render(tmp_path / "file")[0].info["loop"] == plays
