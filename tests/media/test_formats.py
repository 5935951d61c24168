"""Files that other programs wrote: each accepted format, and the error message for formats that are not accepted."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from PIL import Image

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.i18n import LANGUAGES, explain
from chatserver.media import images, open_checked
from chatserver.media.format_names import Unsupported
from tests.media import samples
from tests.media.test_images import LIMIT, assert_shows, near, needs_heif, render


@pytest.mark.parametrize("name", ["still.avif", "ffmpeg.bmp", "sixteen.tiff", "tiled.tiff"])
def test_pictures_of_other_programs_are_taken(name: str) -> None:
    assert_shows(render(samples.FILES / name)[0], samples.corners())


def test_an_avif_is_turned_by_its_own_property() -> None:
    """irot 1: a quarter turn counter-clockwise (ISO/IEC 23008-12, section 6.5.10)."""
    assert_shows(render(samples.FILES / "turned.avif")[0], samples.corners().transpose(Image.Transpose.ROTATE_90))


def test_an_avif_in_display_p3_is_converted_to_srgb() -> None:
    image, _ = render(samples.FILES / "p3.avif")
    # The green and the red of Display P3 are outside sRGB, so both are clipped.
    assert near(image.getpixel((55, 5)), (0, 255, 0), by=6)
    assert near(image.getpixel((5, 5)), (255, 0, 0), by=6)


def test_an_avif_in_pq_is_brought_to_srgb() -> None:
    image, _ = render(samples.FILES / "pq.avif")
    assert near(image.getpixel((55, 35)), (255, 255, 255), by=6)
    assert near(image.getpixel((5, 35)), (0, 0, 255), by=6)


def test_the_first_page_of_a_fax_is_shown() -> None:
    image, _ = render(samples.FILES / "fax.tiff")
    assert image.size == (60, 40)
    assert near(image.getpixel((55, 35)), (255, 255, 255), by=3)
    assert near(image.getpixel((5, 35)), (0, 0, 0), by=3)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "CMYK", "P"])
def test_a_tiff_of_each_common_kind_is_taken(tmp_path: Path, mode: str, compression: str) -> None:
    if compression == "jpeg" and mode in ("RGBA", "P"):
        pytest.skip("libtiff writes no such file")
    path = samples.save(samples.corners().convert(mode), tmp_path / "file", "TIFF", compression=compression)
    image, _ = render(path)
    assert image.size == (60, 40)
    wanted = (255, 255, 255)
    assert near(image.getpixel((55, 35)), wanted, by=10)


def test_a_turned_tiff_is_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = samples.corners().transpose(Image.Transpose.ROTATE_90)
    assert_shows(render(samples.save(lying, tmp_path / "file", "TIFF", exif=exif))[0], samples.corners())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_a_bmp_of_each_kind_is_taken(tmp_path: Path, mode: str) -> None:
    image, _ = render(samples.save(samples.corners().convert(mode), tmp_path / "file", "BMP"))
    assert near(image.getpixel((55, 35)), (255, 255, 255), by=3)


def test_a_gain_map_without_xmp_is_a_still_photograph(tmp_path: Path) -> None:
    """ISO 21496-1: the second picture of the file (MPF) is a gain map for the first one, and not a frame."""
    photo, gain = samples.photo(400, 300), Image.new("L", (100, 75), 128).convert("RGB")
    out = io.BytesIO()
    photo.save(out, "MPO", save_all=True, append_images=[gain], quality=90)
    name = b"urn:iso:std:iso:ts:21496:-1\0" + bytes(4)
    segment = b"\xff\xe2" + struct.pack(">H", 2 + len(name)) + name
    data = out.getvalue()
    path = tmp_path / "IMG_0001.jpg"
    path.write_bytes(data[:2] + segment + data[2:])
    with Image.open(path) as opened:
        assert getattr(opened, "n_frames", 1) == 2
    image, _ = render(path)
    assert (image.size, getattr(image, "n_frames", 1)) == ((400, 300), 1)


@needs_heif
def test_a_large_heic_is_made_smaller_while_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chatserver.media import photographs, stills

    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(samples.HEIC)
    whole = render(path)[0].convert("RGB")
    monkeypatch.setattr(stills, "HEIF_AT_ONCE", 0)
    monkeypatch.setattr(images, "LONG_SIDE", 32)
    monkeypatch.setattr(photographs, "LONG_SIDE", 32)
    monkeypatch.setattr(images, "SHORT_SIDE", 1)
    monkeypatch.setattr(images, "LEGIBLE_SIDE", 1)
    small = render(path)[0].convert("RGB")
    assert small.size == (32, 24)
    for at in ((3, 3), (28, 20), (3, 20)):
        assert near(small.getpixel(at), whole.getpixel((2 * at[0], 2 * at[1])), by=30)  # type: ignore[arg-type]


# Bounds


def test_a_scan_of_a_page_is_taken_and_a_larger_one_is_not(tmp_path: Path) -> None:
    scan = samples.save(Image.new("1", (4960, 7016), 1), tmp_path / "file", "TIFF", compression="group4")
    assert max(render(scan)[0].size) <= 7016
    larger = samples.save(Image.new("1", (6100, 6000), 1), tmp_path / "larger", "TIFF", compression="group4")
    assert code_and_reason(larger) == (ErrorCode.IMAGE_TOO_LARGE, None)


@pytest.mark.parametrize("format", ["AVIF", "BMP", "TIFF"])
def test_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = samples.save(samples.corners(), tmp_path / "file", format)
    monkeypatch.setitem(open_checked.PIXELS_MAX_OF, open_checked.Kind(format), 60 * 40 - 1)
    monkeypatch.setattr(Image.Image, "load", None)
    assert code_and_reason(path) == (ErrorCode.IMAGE_TOO_LARGE, None)


# Refused with the format's name


ISO_MEDIA = b"\0\0\0\x18ftyp%s\0\0\0\0%s"
NAMED = {
    "a codestream of JPEG XL": (b"\xff\x0a" + bytes(100), Unsupported.JPEG_XL),
    "JPEG XL": (samples.FILES.joinpath("picture.jxl").read_bytes(), Unsupported.JPEG_XL),
    "a video": (ISO_MEDIA % (b"isom", b"mp42") + bytes(40), Unsupported.VIDEO),
    "a raw file of Canon": (ISO_MEDIA % (b"crx ", b"isom") + bytes(40), Unsupported.RAW),
    "an older raw file of Canon": (b"II*\0\x10\0\0\0CR\x02\0" + bytes(40), Unsupported.RAW),
    "Photoshop": (b"8BPS\0\x01" + bytes(40), Unsupported.PSD),
    "SVG": (b'<?xml version="1.0"?>\n<!-- x -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', Unsupported.SVG),
    "PDF": (b"%PDF-1.7\n", Unsupported.PDF),
    "text": (b"just words, nothing else", None),
    "a text that begins with BM": (b"BM is how a bitmap begins, and this sentence too", None),
    "a page": (b"<html><svg></svg></html>", None),
}


@pytest.mark.parametrize(("data", "name"), NAMED.values(), ids=NAMED.keys())
def test_a_format_that_is_not_taken_is_named(tmp_path: Path, data: bytes, name: Unsupported | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert code_and_reason(path) == (ErrorCode.IMAGE_UNSUPPORTED, name)


def test_jpeg_2000_is_named(tmp_path: Path) -> None:
    for no_jp2 in (False, True):
        path = samples.save(samples.corners(), tmp_path / "file", "JPEG2000", no_jp2=no_jp2)
        assert code_and_reason(path) == (ErrorCode.IMAGE_UNSUPPORTED, Unsupported.JPEG_2000)


def test_a_raw_file_that_is_a_tiff_is_not_shown_as_its_preview(tmp_path: Path) -> None:
    """DNG: the first page is a preview of a few pixels (DNG specification 1.4, chapter 3)."""
    path = samples.save(samples.corners(), tmp_path / "file", "TIFF", tiffinfo={50706: b"\1\4\0\0"})
    assert code_and_reason(path) == (ErrorCode.IMAGE_UNSUPPORTED, Unsupported.RAW)


@pytest.mark.parametrize("name", [each.value for each in Unsupported])
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_name_has_a_sentence_of_its_own(language: str, name: str) -> None:
    sentence = explain(language, "image_unsupported", {"reason": name})
    assert sentence != explain(language, "image_unsupported", {})


def code_and_reason(path: Path) -> tuple[ErrorCode, object]:
    with pytest.raises(DomainError) as refused:
        images.picture(path, LIMIT)
    return refused.value.code, refused.value.details.get("reason")
