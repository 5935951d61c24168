"""Damaged pictures that every browser shows are accepted, with their colours. A file that lacks too much is refused."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import images
from tests.media import samples

LIMIT = 200 * samples.KIB


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    out = BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@cache
def photo() -> Image.Image:
    return samples.photo(300, 200)


FORMATS: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(photo(), "JPEG", quality=90),
    "JPEG, grey": lambda: encoded(photo().convert("L"), "JPEG"),
    "JPEG, progressive": lambda: encoded(photo(), "JPEG", quality=90, progressive=True),
    "JPEG, restart markers": lambda: encoded(photo(), "JPEG", restart_marker_rows=1),
    "JPEG, read at half its size": lambda: encoded(photo().resize((4000, 2667)), "JPEG"),
    "JPEG, small": lambda: encoded(samples.corners(), "JPEG"),
    "JPEG, small, progressive": lambda: encoded(samples.corners(), "JPEG", progressive=True),
    "PNG": lambda: encoded(photo(), "PNG"),
    "PNG, palette": lambda: encoded(photo().quantize(64), "PNG"),
    "PNG, transparent": lambda: encoded(photo().convert("RGBA"), "PNG"),
    "PNG, 16 bits": lambda: encoded(photo().convert("I;16"), "PNG"),
    "WebP": lambda: encoded(photo(), "WEBP"),
    "WebP, lossless": lambda: encoded(photo(), "WEBP", lossless=True),
    "GIF": lambda: encoded(photo().quantize(64), "GIF", interlace=0),
    "GIF, interlaced": lambda: encoded(photo().quantize(64), "GIF", interlace=1),
    "GIF, plain below": lambda: encoded(samples.corners(), "GIF"),
}
every_format = pytest.mark.parametrize("name", FORMATS)


@cache
def data_of(name: str) -> bytes:
    return FORMATS[name]()


@cache
def whole_of(name: str, folder: Path) -> Image.Image:
    """The picture of this format, undamaged, as it is stored."""
    return render(folder / "whole", data_of(name))


def render(path: Path, data: bytes) -> Image.Image:
    path.write_bytes(data)
    rendered = images.picture(path, LIMIT)
    samples.opened(images.avatar(path))
    return samples.opened(rendered.image).convert("RGBA")


def refusal(path: Path, data: bytes) -> ErrorCode:
    path.write_bytes(data)
    with pytest.raises(DomainError) as refused:
        images.picture(path, LIMIT)
    return refused.value.code


def upper(image: Image.Image, part: float) -> Image.Image:
    return image.crop((0, 0, image.width, int(image.height * part)))


def assert_alike(one: Image.Image, other: Image.Image, by: int) -> None:
    worst = max(high for _, high in ImageChops.difference(one, other).getextrema())  # type: ignore[misc]
    assert worst <= by


# Truncated files


@every_format
@pytest.mark.parametrize("lost", [1, 2, 3, 20, 0.03, 0.05])
def test_a_picture_whose_end_is_missing_is_taken(tmp_path: Path, name: str, lost: float) -> None:
    data = data_of(name)
    end = len(data) - (lost if isinstance(lost, int) else int(lost * len(data)))
    whole, cut = whole_of(name, tmp_path.parent), render(tmp_path / "file", data[:end])
    scale = whole.height / cut.height  # plain rows take fewer bytes, so more rows may be missing
    assert abs(whole.width - cut.width * scale) <= 2
    assert_alike(upper(whole, 0.6), upper(cut.resize(whole.size), 0.6), by=40 if scale == 1 else 120)


@every_format
@pytest.mark.parametrize("part", [0.5, 0.3, 0.1])
def test_a_picture_of_which_half_is_missing_is_unreadable(tmp_path: Path, name: str, part: float) -> None:
    data = data_of(name)
    assert refusal(tmp_path / "file", data[: int(part * len(data))]) is ErrorCode.IMAGE_UNREADABLE


@pytest.mark.parametrize("name", ["PNG", "PNG, palette", "GIF"])
def test_rows_that_are_missing_are_transparent(tmp_path: Path, name: str) -> None:
    data = data_of(name)
    alpha = render(tmp_path / "file", data[: int(0.93 * len(data))]).getchannel("A")
    assert alpha.getpixel((150, 100)) == 255
    assert alpha.getpixel((150, 199)) == 0


def test_an_interlaced_png_whose_end_is_missing_shows_the_rows_above(tmp_path: Path) -> None:
    """Pillow writes no interlaced PNG, so the passes are written here: in Adam7, the last pass has every second row."""
    side = 40
    pixels = [bytes([200, 40 + 4 * row, 60]) for row in range(side)]
    raw = b""
    for left, top, across, down in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
    ):  # fmt: skip
        for row in range(top, side, down):
            raw += b"\0" + pixels[row] * len(range(left, side, across))
    header = side.to_bytes(4, "big") * 2 + bytes((8, 2, 0, 0, 1))
    data = samples.png(header, (b"IDAT", zlib.compress(raw, 0)))
    whole = render(tmp_path / "file", data)
    assert whole.getpixel((20, 31)) == (200, 164, 60, 255)
    cut = render(tmp_path / "file", data[: int(0.9 * len(data))])
    assert_alike(whole, cut, by=6)


def test_an_apng_without_its_end_marker_moves(tmp_path: Path) -> None:
    data = samples.save_animation(samples.sticker_frames(3), tmp_path / "file", "PNG").read_bytes()
    (tmp_path / "file").write_bytes(data[:-12])
    assert len(samples.durations(images.picture(tmp_path / "file", LIMIT).image)) == 3
    assert refusal(tmp_path / "file", data[:-30]) is ErrorCode.IMAGE_UNREADABLE


def test_an_animated_gif_needs_no_trailer(tmp_path: Path) -> None:
    data = samples.save_animation(samples.sticker_frames(3), tmp_path / "file", "GIF").read_bytes()
    (tmp_path / "file").write_bytes(data[:-1])
    assert len(samples.durations(images.picture(tmp_path / "file", LIMIT).image)) == 3


# Extra bytes


GARBAGE = b"not a picture\0" * 20


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WebP", "GIF"])
def test_bytes_behind_the_picture_change_nothing(tmp_path: Path, name: str) -> None:
    data = data_of(name)
    assert_alike(whole_of(name, tmp_path.parent), render(tmp_path / "file", data + GARBAGE), by=0)


def test_garbage_before_the_end_marker_of_a_jpeg_changes_nothing(tmp_path: Path) -> None:
    data = data_of("JPEG")
    spoilt = render(tmp_path / "file", data[:-2] + GARBAGE + data[-2:])
    assert_alike(whole_of("JPEG", tmp_path.parent), spoilt, by=0)


def test_a_webp_without_its_padding_is_taken(tmp_path: Path) -> None:
    """The length of its chunk is odd, and the padding byte after it is missing."""
    data = data_of("WebP")
    assert data[12:16] == b"VP8 "
    content = data[20:] + b"\0"
    assert len(content) % 2
    odd = b"VP8 " + len(content).to_bytes(4, "little") + content
    odd = b"RIFF" + (4 + len(odd)).to_bytes(4, "little") + b"WEBP" + odd
    assert_alike(whole_of("WebP", tmp_path.parent), render(tmp_path / "file", odd), by=0)


# Chunks of a PNG that are not needed


def with_chunk(name: bytes, content: bytes, *, checksum_is_wrong: bool = False) -> bytes:
    data = encoded(samples.corners(), "PNG")
    return data[:33] + samples.png_chunk(name, content, checksum_is_wrong=checksum_is_wrong) + data[33:]


def packed(size: int) -> bytes:
    return zlib.compress(bytes(size))


WRONG_CHECKSUMS = {
    b"tEXt": b"Comment\0a",
    b"pHYs": bytes(9),
    b"iCCP": b"a\0\0" + packed(100),
    b"gAMA": b"\0\0\xb1\x8f",
    b"cHRM": bytes(32),
    b"sRGB": b"\0",
    b"eXIf": b"MM\0*\0\0\0\x08",
    b"tRNS": b"\0\xff\0\xff\0\xff",
    b"acTL": b"\0\0\0\x09\0\0\0\0",
    b"abCd": b"",
}
ODD_CHUNKS = {
    "zTXt of 2 MB": (b"zTXt", b"a\0\0" + packed(2_000_000)),
    "iTXt of 2 MB": (b"iTXt", b"a\0\1\0\0\0" + packed(2_000_000)),
    "zTXt of 100 MB": (b"zTXt", b"a\0\0" + packed(100_000_000)),
    "iCCP of 2 MB": (b"iCCP", b"a\0\0" + packed(2_000_000)),
    "iCCP of 20 MB": (b"iCCP", b"a\0\0" + packed(20_000_000)),
    "iCCP of an unknown method": (b"iCCP", b"a\0\7" + packed(10)),
    "iCCP that is empty": (b"iCCP", b""),
    "tRNS that is too short": (b"tRNS", b"\0"),
    "pHYs that is too short": (b"pHYs", b"\0"),
    "cHRM that is too short": (b"cHRM", b"\0"),
    "gAMA that is empty": (b"gAMA", b""),
    "acTL that is too short": (b"acTL", b"\0"),
    "eXIf that is no EXIF": (b"eXIf", b"nothing"),
}


def assert_is_corners(image: Image.Image) -> None:
    assert image.tobytes() == samples.corners().convert("RGBA").tobytes()


@pytest.mark.parametrize("name", WRONG_CHECKSUMS, ids=bytes.decode)
def test_a_chunk_with_a_wrong_checksum_cannot_spoil_the_picture(tmp_path: Path, name: bytes) -> None:
    data = with_chunk(name, WRONG_CHECKSUMS[name], checksum_is_wrong=True)
    assert_is_corners(render(tmp_path / "file", data))


@pytest.mark.parametrize(("name", "content"), ODD_CHUNKS.values(), ids=ODD_CHUNKS.keys())
def test_a_chunk_that_makes_no_sense_cannot_spoil_the_picture(tmp_path: Path, name: bytes, content: bytes) -> None:
    assert_is_corners(render(tmp_path / "file", with_chunk(name, content)))


def test_a_colour_profile_beside_a_damaged_chunk_is_still_applied(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    data = encoded(Image.new("RGB", (50, 50), "red"), "PNG", icc_profile=swapped)
    data = data[:33] + samples.png_chunk(b"tEXt", b"a\0b", checksum_is_wrong=True) + data[33:]
    red, green, *_ = render(tmp_path / "file", data).getpixel((25, 25))  # type: ignore[misc]
    assert green > 200 > 50 > red, "red and green change places"


def test_a_rotation_beside_a_damaged_chunk_is_still_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    data = encoded(samples.corners().transpose(Image.Transpose.ROTATE_180), "PNG", exif=exif)
    data = data[:33] + samples.png_chunk(b"pHYs", bytes(9), checksum_is_wrong=True) + data[33:]
    assert_is_corners(render(tmp_path / "file", data))


def test_a_png_of_very_many_chunks_is_read(tmp_path: Path) -> None:
    data = encoded(samples.corners(), "PNG")
    filler = samples.png_chunk(b"IDAT", b"") * 100_000 + samples.png_chunk(b"teXt", b"") * 100_000
    assert_is_corners(render(tmp_path / "file", data[:33] + filler + data[33:]))
