"""The picture pipeline, with real files of every format."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFile, ImageFont, PngImagePlugin, WebPImagePlugin

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import images, photographs
from chatserver.media.protocol import Rendered
from tests.media import samples

LIMIT = 200 * samples.KIB
needs_heif = pytest.mark.skipif(not importlib.util.find_spec("pi_heif"), reason="the extra `heic` is not installed")


@pytest.fixture(scope="module")
def twelve_megapixels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "IMG_0001.jpg"
    return samples.save(samples.photo(4000, 3000), path, "JPEG", quality=92)


def render(path: Path, limit: int = LIMIT) -> tuple[Image.Image, Rendered]:
    """Encode the picture, check the rules for all pictures, and return the stored picture, opened again."""
    rendered = images.picture(path, limit)
    image, thumb = samples.opened(rendered.image), samples.opened(rendered.thumb)
    assert image.format in ("WEBP", "AVIF") and thumb.format in ("WEBP", image.format)
    assert image.size == (rendered.width, rendered.height)
    assert len(rendered.image) <= limit
    assert len(rendered.thumb) <= limit
    assert (
        max(image.size) <= photographs.DRAFT_SIDE_MAX or image.width * image.height <= 2050**2 or is_exact(path, image)
    )
    assert max(thumb.size) <= 480
    assert not {"exif", "icc_profile", "xmp", "comment"} & (image.info.keys() | thumb.info.keys())
    return image, rendered


def is_exact(path: Path, image: Image.Image) -> bool:
    with Image.open(path) as original:
        return image.convert("RGB").tobytes() == original.convert("RGB").tobytes()


def refusal(path: Path, limit: int = LIMIT) -> ErrorCode:
    with pytest.raises(DomainError) as refused:
        images.picture(path, limit)
    with pytest.raises(DomainError) as refused_avatar:
        images.avatar(path)
    assert refused.value.code is refused_avatar.value.code
    return refused.value.code


def near(pixel: object, colour: tuple[int, ...], by: int = 40) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= by for a, b in zip(pixel, colour, strict=False))


# Accepted files


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_each_format_becomes_webp_of_its_own_size(tmp_path: Path, format: str) -> None:
    image, _ = render(samples.save(samples.photo(300, 200), tmp_path / "file", format))
    assert image.size == (300, 200)


@pytest.mark.parametrize("name", ["photo.gif", "photo.svg", "photo", "photo.exe"])
def test_a_lying_name_changes_nothing(tmp_path: Path, name: str) -> None:
    image, _ = render(samples.save(samples.corners(), tmp_path / name, "PNG"))
    assert near(image.getpixel((5, 5)), (255, 0, 0))


@needs_heif
def test_a_heic_from_an_iphone_is_read(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(samples.HEIC)
    image, _ = render(path)
    assert image.size == (64, 48)
    assert near(image.getpixel((60, 40)), (30, 30, 200))
    assert near(image.getpixel((6, 6)), (30, 200, 30))


def test_without_the_extra_a_heic_is_unsupported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(samples.HEIC)
    assert refusal(path) is ErrorCode.IMAGE_UNSUPPORTED


def test_a_photo_of_48_megapixels_is_read_at_reduced_size(tmp_path: Path) -> None:
    image, _ = render(samples.save(Image.new("RGB", (8000, 6000), "teal"), tmp_path / "file", "JPEG"))
    assert image.size == (2000, 1500)


# The result


def test_a_large_photo_fits_and_uses_what_it_may(twelve_megapixels: Path) -> None:
    image, rendered = render(twelve_megapixels)
    assert image.size == (2000, 1500)
    assert len(rendered.image) >= 0.6 * LIMIT


def test_a_photo_keeps_the_size_of_a_screen(tmp_path: Path) -> None:
    page = samples.photo(1179, 2000, seed=3)
    limit = 120 * samples.KIB
    for format in ("PNG", "JPEG"):
        image, _ = render(samples.save(page, tmp_path / "file", format), limit)
        assert (image.format, image.size) == ("AVIF", (1179, 2000))


@pytest.mark.parametrize("size", [(1080, 2400), (1080, 15_048), (2560, 1440)])
def test_a_screenshot_keeps_its_exact_pixels(tmp_path: Path, size: tuple[int, int]) -> None:
    page = text_page(*size)
    image, _ = render(samples.save(page, tmp_path / "file", "PNG"))
    assert image.size == size
    assert image.convert("RGB").tobytes() == page.tobytes()


def test_a_screenshot_of_many_colours_keeps_its_exact_pixels_if_they_fit(tmp_path: Path) -> None:
    """A picture with more colours than a drawing: a small photograph beside text."""
    page = text_page(1080, 2400)
    page.paste(samples.photo(180, 120), (60, 60))
    image, _ = render(samples.save(page, tmp_path / "file", "PNG"))
    assert image.convert("RGB").tobytes() == page.tobytes()


def test_a_very_long_screenshot_that_does_not_fit_can_be_read(tmp_path: Path) -> None:
    page = text_page(1080, 21_000)
    page.paste(samples.photo(1080, 3000), (0, 9000))
    path = samples.save(page, tmp_path / "file", "PNG")
    rendered = images.picture(path, LIMIT)
    assert 540 <= rendered.width < 1080
    assert rendered.width * rendered.height <= images.LEGIBLE_AREA
    assert samples.opened(rendered.thumb).size == (240, 480)


def text_page(width: int, height: int) -> Image.Image:
    """Short lines of dark text in a smooth font on white."""
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(28)
    words = ("order", "six", "apples", "before", "Friday", "please", "thanks", "who", "has", "the", "key")
    for number, top in enumerate(range(40, height - 40, 62)):
        line = " ".join(words[(number * 7 + index * index) % len(words)] for index in range(9))
        draw.text((60, top), line, font=font, fill=(34, 34, 40))
    return page


@pytest.mark.parametrize(("format", "options"), [("PNG", {}), ("JPEG", {"quality": 90})])
def test_a_long_screenshot_keeps_its_short_side(tmp_path: Path, format: str, options: dict[str, int]) -> None:
    chance = samples.random.Random(1)
    page = Image.new("RGB", (1080, 12_000), "white")
    draw = ImageDraw.Draw(page)
    for top in range(40, 11_900, 62):  # lines of short strokes, as dense as Chinese text
        for left in range(60, 1000, 14):
            draw.line([(left + chance.randrange(10), top + chance.randrange(40)) for _ in range(3)], "black", width=3)
    image, rendered = render(samples.save(page, tmp_path / "file", format, **options))
    assert image.width >= 540
    assert abs(image.height / image.width - 12_000 / 1080) < 0.1
    assert samples.opened(rendered.thumb).size == (240, 480), "the top of it"


def test_a_thumbnail_of_a_long_picture_is_its_top(tmp_path: Path) -> None:
    page = Image.new("RGB", (300, 1500), "blue")
    page.paste("red", (0, 0, 300, 600))
    image, rendered = render(samples.save(page, tmp_path / "file", "PNG"))
    assert image.size == (300, 1500)
    thumb = samples.opened(rendered.thumb)
    assert thumb.size == (240, 480)
    assert near(thumb.getpixel((120, 470)), (255, 0, 0))


def test_a_panorama_keeps_its_short_side(tmp_path: Path) -> None:
    image, _ = render(samples.save(samples.photo(6000, 800), tmp_path / "file", "PNG"))
    assert image.height >= 500
    assert abs(image.width / image.height - 7.5) < 0.1


def test_a_photo_has_better_ssim_than_jpeg_of_the_same_bytes(tmp_path: Path) -> None:
    original = samples.photo(1600, 1200, seed=4)
    limit = 60 * samples.KIB
    image, _ = render(samples.save(original, tmp_path / "file", "PNG"), limit)
    for quality in range(85, 0, -5):
        jpeg = BytesIO()
        original.save(jpeg, "JPEG", quality=quality)
        if jpeg.tell() <= limit:
            break
    assert jpeg.tell() <= limit
    full = image.resize(original.size, Image.Resampling.BICUBIC)
    assert ssim(original, full) > ssim(original, Image.open(jpeg))


def test_a_small_picture_is_never_enlarged(tmp_path: Path) -> None:
    image, rendered = render(samples.save(samples.corners(20, 10), tmp_path / "file", "PNG"))
    assert image.size == samples.opened(rendered.thumb).size == (20, 10)


def test_a_drawing_of_few_colours_stays_exact(tmp_path: Path) -> None:
    drawing = samples.corners(900, 600)
    image, _ = render(samples.save(drawing, tmp_path / "file", "PNG"))
    assert image.convert("RGB").tobytes() == drawing.tobytes()


@pytest.mark.parametrize("limit_kib", [1, 10, 200])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_noise_ends_under_every_ceiling(tmp_path: Path, mode: str, limit_kib: int) -> None:
    render(samples.save(samples.noise(mode, 1300, 900), tmp_path / "file", "PNG"), limit_kib * samples.KIB)


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 5000)])
def test_a_sliver_keeps_at_least_one_pixel(tmp_path: Path, size: tuple[int, int]) -> None:
    path = samples.save(samples.noise("RGB", *size), tmp_path / "file", "PNG")
    image, _ = render(path, 10 * samples.KIB)
    assert min(image.size) >= 1
    assert samples.opened(images.avatar(path)).size == (256, 256)


# Orientation, metadata, colour


# Orientation -> the transposition that gives the pixels as the camera stores an upright scene.
LYING = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_turned_upright(tmp_path: Path, orientation: int, format: str) -> None:
    upright = samples.corners()
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = upright.transpose(LYING[orientation]) if orientation in LYING else upright
    options = {"subsampling": "4:4:4"} if format == "AVIF" else {}
    path = samples.save(lying, tmp_path / "file", format, exif=exif, **options)
    assert_shows(render(path)[0], upright)


@pytest.mark.parametrize("format", ["WEBP", "GIF"])
def test_what_no_browser_turns_is_not_turned(tmp_path: Path, format: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    options = {"exif": exif} if format == "WEBP" else {}
    assert_shows(render(samples.save(samples.corners(), tmp_path / "file", format, **options))[0], samples.corners())


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF", "PNG"])
def test_an_orientation_in_xmp_turns_nothing(tmp_path: Path, format: str) -> None:
    """As in browsers, and unlike in Pillow."""
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    options: dict[str, object] = {"xmp": xmp.encode()}
    if format == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp)
        options = {"pnginfo": text}
    path = samples.save(samples.corners(), tmp_path / "file", format, **options)
    with Image.open(path) as opened:
        assert opened.getexif()[0x0112] == 6
    assert_shows(render(path)[0], samples.corners())


def assert_shows(image: Image.Image, wanted: Image.Image) -> None:
    assert image.size == wanted.size
    right, below = wanted.width - 5, wanted.height - 5
    for at in ((5, 5), (right, 5), (5, below), (right, below)):
        colour = wanted.getpixel(at)
        assert isinstance(colour, tuple)
        assert near(image.getpixel(at), colour)


def test_nothing_of_the_metadata_survives(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (31.0, 13.0, 49.0), 29: "2026:11:22"})
    path = samples.save(
        samples.photo(200, 150), tmp_path / "file", "JPEG", exif=exif, comment=b"SecretComment",
        xmp=b"<x:xmpmeta>SecretXmp</x:xmpmeta>",
    )  # fmt: skip
    assert b"SecretCamera" in path.read_bytes() and b"SecretXmp" in path.read_bytes()
    _, rendered = render(path)
    for data in (rendered.image, rendered.thumb, images.avatar(path)):
        assert not any(word in data for word in (b"Secret", b"EXIF", b"Exif", b"XMP ", b"ICCP", b"2026"))


def test_what_is_hidden_behind_the_picture_is_not_served(tmp_path: Path) -> None:
    path = samples.save(samples.photo(200, 150), tmp_path / "file", "JPEG")
    path.write_bytes(path.read_bytes() + b"PK\x03\x04<script>alert(1)</script>")
    _, rendered = render(path)
    assert b"<script>" not in rendered.image + rendered.thumb


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("exif", [b"MM\0*\xff\xff\xff\xff", b"MM\0*\0", b"XX\0*\0\0\0\x08"])
def test_damaged_exif_does_not_refuse_a_photo(kind: str, exif: bytes, tmp_path: Path) -> None:
    # With a resolution in the header. Otherwise Pillow reads the EXIF of a JPEG first, and hides the error that it
    # raises.
    render(samples.save(samples.corners(), tmp_path / "file", kind, exif=b"Exif\0\0" + exif, dpi=(72, 72)))


def test_a_colour_profile_is_applied_before_it_is_dropped(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A profile that swaps red and green, with a name that is not sRGB's.
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    path = samples.save(Image.new("RGB", (50, 50), "red"), tmp_path / "file", "PNG", icc_profile=swapped)
    image, _ = render(path)
    assert near(image.getpixel((25, 25)), (0, 255, 0))


def test_a_broken_colour_profile_is_ignored(tmp_path: Path) -> None:
    path = samples.save(samples.corners(), tmp_path / "file", "PNG", icc_profile=b"no profile at all")
    image, _ = render(path)
    assert near(image.getpixel((5, 5)), (255, 0, 0))


# Every pixel format


def test_cmyk_is_shown_in_its_colours(tmp_path: Path) -> None:
    image, _ = render(samples.save(Image.new("CMYK", (50, 50), (0, 255, 255, 0)), tmp_path / "file", "JPEG"))
    assert near(image.getpixel((25, 25)), (255, 0, 0))


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    image, _ = render(samples.save(Image.new("I;16", (50, 50), 0x8000), tmp_path / "file", "PNG"))
    assert near(image.getpixel((25, 25)), (128, 128, 128), by=3)


@pytest.mark.parametrize(
    ("depth", "transparent", "other"),
    [
        (1, (1,), (0,)),
        (2, (2,), (1,)),
        (4, (9,), (10,)),
        (8, (200,), (201,)),
        (16, (0x1234,), (0x1235,)),
        (8, (10, 20, 30), (10, 20, 31)),
        (16, (0x1234, 0x5678, 0x9ABC), (0x1234, 0x5678, 0x9BBC)),
    ],
)
def test_the_transparent_colour_of_a_png_is_transparent_at_every_depth(
    tmp_path: Path, depth: int, transparent: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """Only its own colour becomes transparent; in 16-bit grey the next value does not."""
    path = tmp_path / "file"
    path.write_bytes(samples.grey_or_rgb_png(depth, [transparent] * 16 + [other] * 16, transparent))
    image, _ = render(path)
    alpha = image.getchannel("A")
    assert alpha.crop((0, 0, 16, 20)).getextrema() == (0, 0)
    assert alpha.crop((16, 0, 32, 20)).getextrema() == (255, 255)


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    bits = Image.new("1", (50, 50), 0)
    bits.paste(1, (25, 0, 50, 50))
    image, _ = render(samples.save(bits, tmp_path / "file", "PNG"))
    assert near(image.getpixel((5, 5)), (0, 0, 0))
    assert near(image.getpixel((45, 45)), (255, 255, 255))


def _palette() -> Image.Image:
    return samples.corners().convert("P", palette=Image.Palette.ADAPTIVE, colors=8)


TRANSPARENT: dict[str, Callable[[Path], Path]] = {
    "RGBA": lambda p: samples.save(_with_hole(samples.corners().convert("RGBA")), p, "PNG"),
    "RGBA in WebP": lambda p: samples.save(_with_hole(samples.corners().convert("RGBA")), p, "WEBP", lossless=True),
    "LA": lambda p: samples.save(_with_hole(samples.corners().convert("LA")), p, "PNG"),
    "palette": lambda p: samples.save(_palette(), p, "PNG", transparency=_palette().getpixel((55, 35))),
    "palette in GIF": lambda p: samples.save(_palette(), p, "GIF", transparency=_palette().getpixel((55, 35))),
    "a colour of RGB": lambda p: samples.save(samples.corners(), p, "PNG", transparency=(255, 255, 255)),
    "a shade of grey": lambda p: samples.save(samples.corners().convert("L"), p, "PNG", transparency=255),
}


@pytest.mark.parametrize("make", TRANSPARENT.values(), ids=TRANSPARENT.keys())
def test_transparency_is_kept(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    image, rendered = render(make(tmp_path / "file"))
    for shown in (image, samples.opened(rendered.thumb)):
        alpha = shown.convert("RGBA").getchannel("A")
        assert alpha.getpixel((55, 35)) == 0
        assert alpha.getpixel((5, 5)) == 255


# Animations


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_a_sticker_keeps_its_frames_its_time_and_its_transparency(tmp_path: Path, format: str) -> None:
    path = samples.save_animation(samples.sticker_frames(), tmp_path / "file", format, disposal=2)
    image, rendered = render(path)
    assert getattr(image, "n_frames", 1) == 8
    assert sum(samples.durations(rendered.image)) == 8 * 80
    assert image.info["loop"] == 0
    assert image.convert("RGBA").getpixel((110, 110))[3:] == (0,)  # type: ignore[index]
    assert rendered.thumb == rendered.image, "a small sticker moves in the list too"


def test_an_animation_that_does_not_fit_gets_smaller_and_stays_one(tmp_path: Path) -> None:
    path = samples.save_animation(samples.film_frames(16, 240, 180), tmp_path / "file", "GIF")
    image, rendered = render(path, 20 * samples.KIB)
    assert getattr(image, "n_frames", 1) >= 2
    assert sum(samples.durations(rendered.image)) == 16 * 80


def test_an_animation_of_noise_ends_under_the_smallest_ceiling(tmp_path: Path) -> None:
    frames = [samples.noise("RGB", 150, 150, seed) for seed in range(12)]
    image, rendered = render(samples.save_animation(frames, tmp_path / "file", "WEBP"), 2 * samples.KIB)
    assert getattr(image, "n_frames", 1) >= 2
    assert sum(samples.durations(rendered.image)) == 12 * 80


def test_a_large_animation_has_a_still_thumbnail(tmp_path: Path) -> None:
    path = samples.save_animation(samples.sticker_frames(4, side=600), tmp_path / "file", "GIF", disposal=2)
    image, rendered = render(path)
    assert image.size == (600, 600)
    assert getattr(image, "n_frames", 1) == 4
    assert samples.opened(rendered.thumb).size == (480, 480)


def test_frames_that_ask_for_no_time_get_what_browsers_give_them(tmp_path: Path) -> None:
    path = samples.save_animation(samples.sticker_frames(3), tmp_path / "file", "GIF", duration=0, disposal=2)
    _, rendered = render(path)
    assert sum(samples.durations(rendered.image)) == 300


def test_the_cover_of_an_apng_is_not_one_of_its_frames(tmp_path: Path) -> None:
    frames = samples.sticker_frames(4)
    cover = Image.new("RGBA", frames[0].size, "red")
    path = samples.save_animation([cover, *frames], tmp_path / "file", "PNG", default_image=True)
    image, _ = render(path)
    assert getattr(image, "n_frames", 1) == 4
    assert not near(image.convert("RGBA").getpixel((110, 110)), (255, 0, 0, 255))


# Refused files


def test_an_animation_that_breaks_off_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for format in ("GIF", "PNG", "WEBP"):
        data = samples.save_animation(samples.film_frames(5, 80, 60), path, format).read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(DomainError) as refused:
            images.picture(path, LIMIT)
        assert refused.value.code is ErrorCode.IMAGE_UNREADABLE, format


@pytest.mark.parametrize("head", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"])
def test_nothing_after_the_first_bytes_is_unreadable(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(head)
    assert refusal(path) is ErrorCode.IMAGE_UNREADABLE


def test_other_formats_are_unsupported_whatever_their_name(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    for format in ("ICO", "PPM", "TGA", "EPS", "PDF", "JPEG2000"):
        samples.save(samples.corners(), path, format)
        assert refusal(path) is ErrorCode.IMAGE_UNSUPPORTED, format


@pytest.mark.parametrize(
    "data",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        b'<?xml version="1.0"?><svg/>',
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        b"<html>GIF89a",
        b"\0" * 100,
    ],
)
def test_what_is_no_picture_is_unsupported(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    assert refusal(path) is ErrorCode.IMAGE_UNSUPPORTED


BOMBS = {
    "PNG of 2.5 gigapixels": samples.png_claiming(50_000, 50_000),
    "PNG just over": samples.png_claiming(5001, 5000),
    "PNG with one absurd side": samples.png_claiming(2**31 - 1, 1),
    "WebP of the largest canvas": samples.webp_claiming(2**24, 255),
    "JPEG of the largest canvas": samples.jpeg_claiming(65_500, 65_500),
    "GIF of the largest canvas": samples.gif_claiming(65_535, 65_535, 1),
    "GIF of many frames": samples.gif_claiming(1, 1, 100_000),
    "GIF of a large canvas": samples.gif_claiming(4000, 4000, 2),
    "GIF of many pixels in all": samples.gif_claiming(1000, 1000, 151),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_from_its_header(tmp_path: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pixel of it is decoded."""
    decoded: list[object] = []
    for kind in (ImageFile.ImageFile, WebPImagePlugin.WebPImageFile):
        monkeypatch.setattr(kind, "load", decoded.append)
    path = tmp_path / "file"
    path.write_bytes(data)
    assert refusal(path) is ErrorCode.IMAGE_TOO_LARGE
    assert decoded == []


@pytest.mark.parametrize("claiming", [samples.apng_claiming, samples.webp_animation_claiming])
def test_frames_count_towards_the_pixels(tmp_path: Path, claiming: Callable[[int, int, int], bytes]) -> None:
    path = tmp_path / "file"
    path.write_bytes(claiming(3000, 3000, 17))
    with Image.open(path) as opened:
        assert (opened.size, getattr(opened, "n_frames", 1)) == ((3000, 3000), 17)
    assert refusal(path) is ErrorCode.IMAGE_TOO_LARGE
    path.write_bytes(claiming(30, 30, 17))
    images.picture(path, LIMIT)


def test_random_damage_is_answered_and_never_raises_anything_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    originals = [samples.save(samples.photo(90, 60), path, f).read_bytes() for f in ("JPEG", "PNG", "WEBP", "GIF")]
    originals.append(samples.save_animation(samples.sticker_frames(3), path, "GIF").read_bytes())
    chance = samples.random.Random(7)
    for turn in range(150):
        data = bytearray(originals[turn % len(originals)])
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(data)
        try:
            images.picture(path, LIMIT)
        except DomainError as refused:
            assert refused.code.value.startswith("image_")


# Avatars


def test_an_avatar_is_the_centre_of_the_picture(tmp_path: Path) -> None:
    image = Image.new("RGB", (900, 300), "red")
    image.paste("blue", (300, 0, 600, 300))
    avatar = samples.opened(images.avatar(samples.save(image, tmp_path / "file", "JPEG")))
    assert (avatar.format, avatar.size) == ("WEBP", (256, 256))
    assert all(near(avatar.getpixel(at), (0, 0, 255)) for at in ((6, 6), (128, 128), (250, 250)))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_an_avatar_of_noise_has_at_most_50_kb(tmp_path: Path, mode: str) -> None:
    data = images.avatar(samples.save(samples.noise(mode, 256, 256), tmp_path / "file", "PNG"))
    assert len(data) <= 50 * samples.KIB
    assert samples.opened(data).size == (256, 256)


def test_an_avatar_of_an_animation_stands_still(tmp_path: Path) -> None:
    path = samples.save_animation(samples.sticker_frames(), tmp_path / "file", "GIF", disposal=2)
    assert getattr(samples.opened(images.avatar(path)), "n_frames", 1) == 1


def _with_hole(image: Image.Image) -> Image.Image:
    alpha = Image.new("L", image.size, 255)
    alpha.paste(0, (image.width // 2, image.height // 2, *image.size))
    image.putalpha(alpha)
    return image


def ssim(one: Image.Image, other: Image.Image) -> float:
    """Structural similarity (Wang et al. 2004) of the luminance, over blocks of 8 px. 1 means equal."""
    one, other = one.convert("L"), other.convert("L")
    total, blocks = 0.0, 0
    for top in range(0, one.height - 7, 32):
        for left in range(0, one.width - 7, 32):
            a, b = (list(i.crop((left, top, left + 8, top + 8)).tobytes()) for i in (one, other))
            mean_a, mean_b = sum(a) / 64, sum(b) / 64
            var_a = sum(x * x for x in a) / 64 - mean_a**2
            var_b = sum(x * x for x in b) / 64 - mean_b**2
            both = sum(x * y for x, y in zip(a, b, strict=True)) / 64 - mean_a * mean_b
            total += ((2 * mean_a * mean_b + 6.5) * (2 * both + 58.5)) / (
                (mean_a**2 + mean_b**2 + 6.5) * (var_a + var_b + 58.5)
            )
            blocks += 1
    return total / blocks
