"""Opens an uploaded file by its content, and checks the decoded size that its header declares before any decoding."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from os import PathLike
from typing import NamedTuple

from PIL import Image

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import format_names, headers
from chatserver.media.format_names import Unsupported
from chatserver.media.headers import PROFILE_BYTES_MAX, Kind
from chatserver.media.repair import Repaired, repaired

# The most pixels of a still picture. The limits are set by the processor time and the memory that a worker needs.
PIXELS_MAX = 25_000_000
# libjpeg decodes at 1/2, 1/4 or 1/8 of the side length (Pillow's draft), so phone photographs of 48 and 64 megapixels
# are accepted. PIXELS_MAX is checked after draft.
JPEG_PIXELS_MAX = 65_000_000
# The 48 megapixels of a phone (8064 × 6048). The picture is scaled down in strips (heif.py).
HEIF_PIXELS_MAX = 50_000_000
# A page of A4 scanned at 600 dots per inch (4960 × 7016). Decoding needs 9 bytes a pixel.
SCAN_PIXELS_MAX = 36_000_000
PIXELS_MAX_OF = {
    Kind.JPEG: JPEG_PIXELS_MAX,
    Kind.HEIF: HEIF_PIXELS_MAX,
    Kind.AVIF: SCAN_PIXELS_MAX,
    Kind.BMP: SCAN_PIXELS_MAX,
    Kind.TIFF: SCAN_PIXELS_MAX,
}
# The most pixels of one frame, and of all frames of an animation. Frames are decoded and scaled down one by one, at
# 40 to 100 million pixels a second.
FRAME_PIXELS_MAX = 12_500_000
ANIMATION_PIXELS_MAX = 150_000_000
FRAMES_MAX = 1000

# Tags of a TIFF (TIFF 6.0, section 8; TIFF tech note 1; DNG specification 1.4) for: a reduced copy of another image,
# images inside, the version of DNG. Raw files of cameras are TIFF files with a small preview as their first page.
_TIFF_SUBFILE_TYPE, _TIFF_SUB_IMAGES, _DNG_VERSION = 254, 330, 50706

# The byte of a PNG that gives the bits of a channel (PNG specification, 11.2.1 IHDR; it follows the signature).
_PNG_DEPTH_OFFSET = 24

# Kind -> the module of PIL that decodes it, and the variables to set in that module. It is imported when a file needs
# it, so that a worker starts sooner: to find a decoder, Pillow would load all of its more than 40.
_DECODERS: dict[Kind, tuple[str, dict[str, int]]] = {
    Kind.JPEG: ("JpegImagePlugin", {}),
    # Pillow's own limit for a colour profile in a PNG is 1 MiB; above it Pillow raises an error.
    Kind.PNG: ("PngImagePlugin", {"MAX_TEXT_CHUNK": PROFILE_BYTES_MAX}),
    Kind.WEBP: ("WebPImagePlugin", {}),
    Kind.GIF: ("GifImagePlugin", {}),
    # A job is limited by its processor time, and each thread's stack counts towards the worker's memory.
    Kind.AVIF: ("AvifImagePlugin", {"DEFAULT_MAX_THREADS": 1}),
    Kind.BMP: ("BmpImagePlugin", {}),
    Kind.TIFF: ("TiffImagePlugin", {}),
}
# Set Pillow's own limit, for sizes that the header did not declare.
Image.MAX_IMAGE_PIXELS = JPEG_PIXELS_MAX


class Source(NamedTuple):
    """An opened file whose size was checked. `frames` is 1 for a still picture; `bytes` is the file's length."""

    image: Image.Image
    file: Repaired
    kind: Kind
    frames: int
    bytes: int


@contextmanager
def opened(path: str | PathLike[str]) -> Iterator[Source]:
    """Open and check the file at `path`.

    Raises DomainError: `image_unsupported` (with a format as `reason`), `image_unreadable`, `image_too_large`.
    """
    with open(path, "rb") as upload:  # imported here, because a worker starts sooner without pathlib
        data = upload.read()
    if not data:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    kind = _kind(data)
    _check_header(kind, data)
    _import_decoder(kind)
    file = repaired(kind, data)
    frames = 1
    if kind is Kind.GIF:
        extent = headers.gif_extent(file.data, FRAMES_MAX)
        frames = extent.frames
        _check_size(kind, extent.width, extent.height, frames)
    with Image.open(BytesIO(file.data), formats=[kind]) as image:
        if kind in (Kind.WEBP, Kind.PNG, Kind.AVIF):
            frames = getattr(image, "n_frames", 1)
        _check_size(kind, image.width, image.height, frames)
        if kind is Kind.TIFF:
            _refuse_raw(image)
        if kind is Kind.PNG:
            _scale_transparent_colour(image, depth=data[_PNG_DEPTH_OFFSET])
        # Pillow would apply an orientation from XMP; browsers do not.
        image.info.pop("xmp", None)
        yield Source(image, file, kind, frames, len(data))


def again(source: Source) -> Source:
    """Open the same file again, to decode it once more."""
    image = Image.open(BytesIO(source.file.data), formats=[source.kind])
    image.info.pop("xmp", None)
    return source._replace(image=image)


def _kind(data: bytes) -> Kind:
    kind = headers.kind(data[: headers.SNIFF_BYTES])
    if kind is None or (kind is Kind.HEIF and not _heif_is_installed()) or (kind is Kind.TIFF and data[8:10] == b"CR"):
        name = format_names.name_of(data)
        raise DomainError(ErrorCode.IMAGE_UNSUPPORTED, **({"reason": name} if name else {}))
    return kind


def _import_decoder(kind: Kind) -> None:
    if kind is not Kind.HEIF:
        name, options = _DECODERS[kind]
        module = importlib.import_module(f"PIL.{name}")
        for option, value in options.items():
            setattr(module, option, value)


def _heif_is_installed() -> bool:
    """Register the HEIC decoder; False without the optional extra `heic`. iPhones write HEIC."""
    try:
        importlib.import_module("pi_heif").register_heif_opener(decode_threads=1)
    except ImportError:
        return False
    return True


def _check_header(kind: Kind, data: bytes) -> None:
    """Check the declared size of a WebP and a PNG before they are opened.

    Pillow allocates the canvas of a WebP when it opens the file; the repair of a PNG allocates all rows.
    """
    if kind is Kind.PNG:
        _check_size(kind, *headers.png_extent(data), frames=1)
    elif kind is Kind.WEBP:
        _check_size(kind, *headers.webp_extent(data), frames=1)


def _check_size(kind: Kind, width: int, height: int, frames: int) -> None:
    """Raises DomainError: `image_too_large` if a limit on pixels or frames is exceeded."""
    pixels, pixels_max = width * height, PIXELS_MAX_OF.get(kind, PIXELS_MAX)
    if frames > 1:
        pixels_max = min(pixels_max, FRAME_PIXELS_MAX)
    if pixels > pixels_max or frames > FRAMES_MAX or (frames > 1 and pixels * frames > ANIMATION_PIXELS_MAX):
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE)


def _refuse_raw(image: Image.Image) -> None:
    tags = getattr(image, "tag_v2", {})
    is_preview = tags.get(_TIFF_SUBFILE_TYPE) == 1 and _TIFF_SUB_IMAGES in tags
    if _DNG_VERSION in tags or is_preview:
        raise DomainError(ErrorCode.IMAGE_UNSUPPORTED, reason=Unsupported.RAW)


def _scale_transparent_colour(image: Image.Image, depth: int) -> None:
    """Scale a PNG's transparent colour (tRNS) to 8 bits a channel, as Pillow scales the pixels but not this colour."""
    colour = image.info.get("transparency")
    if isinstance(colour, int) and depth in (2, 4):
        value_max = 2**depth - 1
        image.info["transparency"] = (colour & value_max) * (255 // value_max)
    elif isinstance(colour, tuple) and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in colour)
