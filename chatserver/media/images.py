"""Decodes an untrusted picture file and encodes it as WebP. Runs in a worker process, never in the server.

Four steps, in this order: find the format in the first bytes, check the decoded size that the header
declares, mend what browsers overlook (`repair`), then decode with the decoder of that format alone. The
result is encoded from the pixels, so neither the upload's bytes nor its metadata are served.
"""

from __future__ import annotations

import importlib
import math
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

# Imported by name: otherwise Pillow loads all of its more than 40 decoders to find these four.
from PIL import GifImagePlugin as _gif  # noqa: F401
from PIL import Image, ImageCms, ImageOps
from PIL import JpegImagePlugin as _jpeg  # noqa: F401
from PIL import PngImagePlugin as _png
from PIL import WebPImagePlugin as _webp  # noqa: F401

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import fitting, headers
from chatserver.media.headers import Kind
from chatserver.media.protocol import Rendered
from chatserver.media.repair import Repaired, repaired
from chatserver.media.repair.png import PROFILE_BYTES_MAX

# The maximum of width × height × frames.
PIXELS_MAX = 25_000_000
# The maximum that a JPEG's header may declare. libjpeg decodes at 1/2, 1/4 or 1/8 of the side length (Pillow's
# draft), so phone photographs of 48 and 64 megapixels are accepted. PIXELS_MAX is checked after draft.
JPEG_PIXELS_MAX = 65_000_000
FRAMES_MAX = 1000

# The formats of cameras. Screenshots and drawings are mostly in other formats.
_PHOTOGRAPH_KINDS = {Kind.JPEG, Kind.HEIF}

LONG_SIDE = 2048
# A long picture, such as a screenshot of a whole conversation, keeps this short side, so that it can be read; within
# the pixels of a square of LONG_SIDE, and within what WebP can hold (RFC 9649, section 2.5: 14 bits).
SHORT_SIDE = 600
# Where its bytes do not fit, this one: half of what phones have.
LEGIBLE_SIDE = 544
WEBP_SIDE_MAX = 16_383
# A draft of at least this side length in pixels is not resized: 4000 and 4032 px are halved to about 2000 px.
DRAFT_SIDE = 1920
THUMB_SIDE = 480
# The page shows a picture that is higher than THUMB_RATIO_MAX times its width cropped to its top (elements/message.js).
THUMB_RATIO_MAX = 2
THUMB_BYTES = 48 * 1024
THUMB_QUALITY = 75

AVATAR_SIDE = 256
AVATAR_BYTES = 50 * 1024

# WebP of acceptable quality has at least 1/12 of a GIF's bytes. An animation of more than 12 times the
# limit is scaled down before the first attempt.
ANIMATION_GAIN = 12

# The byte of a PNG that gives the bits of a channel (PNG specification, 11.2.1 IHDR; it follows the signature).
_PNG_DEPTH_OFFSET = 24

# EXIF orientation (Exif 2.3, section 4.6.4, tag 0x0112) -> the transposition that makes the image upright.
_ORIENTATION = 0x0112
# What Pillow 13.0 raises for it (its JpegImagePlugin catches these, OSError aside, when it reads the resolution).
_DAMAGED_EXIF = (struct.error, KeyError, OSError, SyntaxError, TypeError, ValueError)
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_SRGB = ImageCms.createProfile("sRGB")

# Pillow's limit for a colour profile in a PNG is 1 MiB, and an error.
_png.MAX_TEXT_CHUNK = PROFILE_BYTES_MAX

# Pillow's own limit, for sizes that the header did not declare.
Image.MAX_IMAGE_PIXELS = JPEG_PIXELS_MAX


def picture(path: Path, limit_bytes: int) -> Rendered:
    """Encode the file as WebP of at most `limit_bytes` (1024 or more) and 2048 px, with a 480 px thumbnail.

    A long picture has a longer side of more pixels, and a thumbnail of its top.
    Applies the EXIF orientation, converts to sRGB, keeps transparency and animation.
    Raises DomainError: `image_unsupported`, `image_unreadable`, `image_too_large`.
    """
    with _domain_errors(), _opened(path) as source:
        if source.frames > 1:
            return _render_animation(source, limit_bytes)
        side = _long_side(*source.image.size)
        image = _load_still(source, side)
        is_long = side > LONG_SIDE
        is_photograph = source.kind in _PHOTOGRAPH_KINDS and not is_long
        stored = fitting.fit_still(
            image,
            limit_bytes,
            is_photograph=is_photograph,
            quality_min=fitting.QUALITY_MIN_WHEN_LONG if is_long else fitting.QUALITY_MIN,
            short_side=LEGIBLE_SIDE if is_long else 1,
        )
        thumb = _thumbnail(image, limit_bytes)
        return Rendered(stored.data, thumb.data, stored.width, stored.height)


def avatar(path: Path) -> bytes:
    """The centre of the first frame as a WebP of 256 × 256 px and at most 50 KiB. Raises as `picture` does."""
    with _domain_errors(), _opened(path) as source:
        width, height = source.image.size
        # Twice the square, so that the draft is not visible; the long side of a very narrow image is limited.
        image = _load_still(source, min(2 * AVATAR_SIDE * max(width, height) // min(width, height), 8 * LONG_SIDE))
        square = ImageOps.fit(image, (AVATAR_SIDE, AVATAR_SIDE), Image.Resampling.LANCZOS)
        return fitting.fit_square(square, AVATAR_BYTES)


@dataclass(frozen=True, slots=True)
class _Source:
    """An opened file whose size was checked. `frames` is 1 for a still picture; `bytes` is the file's length."""

    image: Image.Image
    file: Repaired
    kind: Kind
    frames: int
    bytes: int


@contextmanager
def _domain_errors() -> Iterator[None]:
    """Turn every exception into a DomainError, because a decoder can raise any exception for an invalid file."""
    try:
        with warnings.catch_warnings():
            # Warnings concern the uploaded file (mostly damaged EXIF); they do not belong in the log.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except DomainError:
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE) from error
    except Exception as error:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE) from error


@contextmanager
def _opened(path: Path) -> Iterator[_Source]:
    """Open the file by its content. Check the size that the header declares before any decoding."""
    data = path.read_bytes()
    kind = headers.kind(data[: headers.SNIFF_BYTES])
    if not data:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    if kind is None or (kind is Kind.HEIF and not _heif_is_installed()):
        raise DomainError(ErrorCode.IMAGE_UNSUPPORTED)

    frames = 1
    if kind is Kind.PNG:
        _check_size(kind, *headers.png_extent(data), frames)
    elif kind is Kind.WEBP:
        _check_size(kind, *headers.webp_extent(data), frames)
    file = repaired(kind, data)
    if kind is Kind.GIF:
        extent = headers.gif_extent(file.data, FRAMES_MAX)
        frames = extent.frames
        _check_size(kind, extent.width, extent.height, frames)

    with Image.open(BytesIO(file.data), formats=[kind]) as image:
        if kind in (Kind.WEBP, Kind.PNG):
            frames = getattr(image, "n_frames", 1)
        _check_size(kind, image.width, image.height, frames)
        if kind is Kind.PNG:
            _scale_transparent_colour(image, depth=data[_PNG_DEPTH_OFFSET])
        yield _Source(image, file, kind, frames, len(data))


def _scale_transparent_colour(image: Image.Image, depth: int) -> None:
    """Scale a PNG's transparent colour (tRNS) to 8 bits a channel, as Pillow scales the pixels but not this colour."""
    colour = image.info.get("transparency")
    if isinstance(colour, int) and depth in (2, 4):
        value_max = 2**depth - 1
        image.info["transparency"] = (colour & value_max) * (255 // value_max)
    elif isinstance(colour, tuple) and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in colour)


def _heif_is_installed() -> bool:
    """Register the HEIC decoder; False without the optional extra `heic`. iPhones write HEIC."""
    try:
        importlib.import_module("pi_heif").register_heif_opener()
    except ImportError:
        return False
    return True


def _check_size(kind: Kind, width: int, height: int, frames: int) -> None:
    """Raises DomainError: `image_too_large`."""
    pixels_max = JPEG_PIXELS_MAX if kind is Kind.JPEG else PIXELS_MAX
    if frames > FRAMES_MAX or width * height * frames > pixels_max:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE)


def _long_side(width: int, height: int) -> int:
    """The longer side in pixels of what is stored; at most that of the picture."""
    long, short = max(width, height), min(width, height)
    scale = max(LONG_SIDE / long, min(SHORT_SIDE / short, LONG_SIDE / math.sqrt(width * height), WEBP_SIDE_MAX / long))
    return int(min(1.0, scale) * long)


def _load_still(source: _Source, side: int) -> Image.Image:
    """The first frame: RGB or RGBA in sRGB, upright, at most `side` px on the long side, without metadata."""
    image = source.image
    if source.kind is Kind.JPEG:
        _draft(image, side)
    profile = image.info.get("icc_profile")
    transposition = _transposition(image)
    image = source.file.without_missing(_to_eight_bits(source.file.load(image)))
    image = _to_srgb(_shrink_to(image, side), profile)
    if transposition is not None:
        image = image.transpose(transposition)
    return _without_metadata(image)


def _draft(image: Image.Image, side: int) -> None:
    """Let libjpeg decode fewer pixels, to no less than `side` px; the requested box has the photograph's aspect ratio.

    In a box of another ratio the short side would set the scale, and more pixels than needed would be decoded.
    """
    scale = side * DRAFT_SIDE / LONG_SIDE / max(image.size)
    if scale < 1:
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    if image.width * image.height > PIXELS_MAX:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE)


def _transposition(image: Image.Image) -> Image.Transpose | None:
    """The transposition for the EXIF orientation. Ignores damaged EXIF, which is common in valid photographs."""
    try:
        return _TRANSPOSITIONS.get(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGED_EXIF:
        return None


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """RGBA if any pixel is transparent; else RGB, CMYK or L, whose colours may need an ICC profile."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return _from_sixteen_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("RGB", "CMYK", "L"):
        return image
    return image.convert("RGB")


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    """Convert 16-bit grey to 8 bits. Compares with the transparent value before that, at 16 bits."""
    wide = image.convert("I")
    # convert("L") clips at 255 instead of scaling.
    grey = wide.point([value >> 8 for value in range(65536)], "L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return _without_metadata(grey)
    alpha = wide.point([255 * (value != transparent) for value in range(65536)], "L")
    return _without_metadata(Image.merge("LA", (grey, alpha)).convert("RGBA"))


def _shrink_to(image: Image.Image, side: int) -> Image.Image:
    """Scale down to at most `side` px on the long side; never enlarge."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB. Without a valid ICC profile the values are taken as sRGB."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    if profile:
        colours = _apply_profile(colours, profile)
    colours = colours.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if image.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return image
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image


def _without_metadata(image: Image.Image) -> Image.Image:
    """Remove the metadata that Pillow would write into the result: ICC profile, EXIF, XMP, comments."""
    image.info = {}
    return image


def _thumbnail(image: Image.Image, limit_bytes: int) -> fitting.EncodedImage:
    if image.height > THUMB_RATIO_MAX * image.width:
        image = image.crop((0, 0, image.width, THUMB_RATIO_MAX * image.width))
    small = _shrink_to(image, THUMB_SIDE)
    return fitting.fit_still(small, min(limit_bytes, THUMB_BYTES), THUMB_QUALITY, method=2)


def _render_animation(source: _Source, limit_bytes: int) -> Rendered:
    """Render an animation. Up to 480 px it is its own thumbnail; above that its first frame is.

    A scaled animation cannot be the thumbnail: scaling a drawing adds colours, and often multiplies its bytes.
    """
    animation = _load_animation(source, limit_bytes)
    stored = fitting.fit_animation(animation, limit_bytes)
    thumb = stored
    if max(stored.width, stored.height) > THUMB_SIDE:
        thumb = _thumbnail(animation.frames[0], limit_bytes)
    return Rendered(stored.data, thumb.data, stored.width, stored.height)


def _load_animation(source: _Source, limit_bytes: int) -> fitting.Animation:
    """Every frame as it is displayed, converted as a still picture is."""
    image, profile, transposition = source.image, source.image.info.get("icc_profile"), _transposition(source.image)
    useful_scale = math.sqrt(ANIMATION_GAIN * limit_bytes / source.bytes)
    side = min(LONG_SIDE, math.ceil(min(1.0, useful_scale) * max(image.size)))
    frames, durations = [], []
    # An APNG may begin with a still image for programs without APNG support; it is not part of the animation.
    for index in range(int(getattr(image, "default_image", False)), source.frames):
        image.seek(index)
        image.load()
        frame = _to_srgb(_shrink_to(_to_eight_bits(image), side), profile)
        frames.append(_without_metadata(frame if transposition is None else frame.transpose(transposition)))
        durations.append(_duration(image))
    return fitting.Animation(frames, durations, loop=int(image.info.get("loop", 1)))


def _duration(image: Image.Image) -> int:
    """The frame's duration in ms. Browsers use 100 ms for a frame of 10 ms or less."""
    duration = round(image.info.get("duration", 0))
    return duration if duration > 10 else 100
