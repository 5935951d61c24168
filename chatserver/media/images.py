"""A stranger's file in, two clean WebP pictures out. Runs in a worker process, never in the server.

The order is the defence: what is it (its first bytes), how much would it unpack to (its header),
and only then decode, with the one decoder that fits. Pixels alone survive: the result is encoded
from them anew, so no byte of the upload, and none of its metadata, is ever served.
"""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

# Imported by name, so that Pillow does not load its forty other decoders to find these four.
from PIL import GifImagePlugin as _gif  # noqa: F401
from PIL import Image, ImageCms, ImageOps
from PIL import JpegImagePlugin as _jpeg  # noqa: F401
from PIL import PngImagePlugin as _png  # noqa: F401
from PIL import WebPImagePlugin as _webp  # noqa: F401

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import fitting, headers
from chatserver.media.headers import Kind
from chatserver.media.protocol import Rendered

# Width × height × frames that may be decoded.
MOST_PIXELS = 25_000_000
# A JPEG is decoded at a half, a quarter or an eighth (draft), so what its header says may be more: a
# telephone's 48 and 64 megapixels pass, a bomb does not. After draft, MOST_PIXELS holds as ever.
MOST_JPEG_PIXELS = 65_000_000
MOST_FRAMES = 1000

# What cameras write. Screenshots and drawings mostly come otherwise.
_PHOTOGRAPHS = {Kind.JPEG, Kind.HEIF}

LONG_SIDE = 2048
# A draft this near LONG_SIDE is taken as it is: 4000 and 4032 px halve to about 2000, free of a resize.
DRAFT_SIDE = 1920
THUMB_SIDE = 480
THUMB_BYTES = 48 * 1024
THUMB_QUALITY = 75

AVATAR_SIDE = 256
AVATAR_BYTES = 50 * 1024

# A GIF's bytes shrink to at least a twelfth as WebP of bearable quality: more than that over the
# ceiling, and it is not worth trying at full size.
ANIMATION_GAIN = 12

# Where a PNG says how many bits a channel has (PNG 11.2.1, IHDR, right behind the signature).
_PNG_DEPTH_AT = 24

# What EXIF's orientation asks for (Exif 2.3, 4.6.4, tag 0x0112).
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_SRGB = ImageCms.createProfile("sRGB")

# Pillow's own limit stands behind ours, for what a header did not say.
Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS


def picture(path: Path, limit_bytes: int) -> Rendered:
    """The file as WebP of at most `limit_bytes` (1024 or more) and 2048 px, with a 480 px thumbnail.

    Turned as EXIF says, in sRGB, transparency kept. An animation stays one.
    Refuses `image_unsupported`, `image_unreadable`, `image_too_large`.
    """
    with _refusals(), _opened(path) as source:
        if source.frames > 1:
            return _moving(source, limit_bytes)
        image = _still(source, LONG_SIDE)
        stored = fitting.fit_still(image, limit_bytes, is_photograph=source.kind in _PHOTOGRAPHS)
        thumb = _thumb(image, limit_bytes)
        return Rendered(stored.data, thumb.data, stored.width, stored.height)


def avatar(path: Path) -> bytes:
    """The centre of the first frame as a square WebP of 256 px, at most 50 KB. Refuses as `picture`."""
    with _refusals(), _opened(path) as source:
        width, height = source.image.size
        # Twice the square, so that the draft does not show; a sliver's long side stays bounded.
        image = _still(source, min(2 * AVATAR_SIDE * max(width, height) // min(width, height), 8 * LONG_SIDE))
        square = ImageOps.fit(image, (AVATAR_SIDE, AVATAR_SIDE), Image.Resampling.LANCZOS)
        return fitting.fit_square(square, AVATAR_BYTES)


@dataclass(frozen=True, slots=True)
class _Source:
    """An opened file whose size has been allowed. `frames` is 1 for anything that does not move."""

    image: Image.Image
    kind: Kind
    frames: int
    bytes: int


@contextmanager
def _refusals() -> Iterator[None]:
    """Decoders raise anything at all on a hostile file; whatever it is, the file is what is wrong."""
    try:
        with warnings.catch_warnings():
            # Warnings are about the stranger's file, damaged EXIF mostly: nothing for our log.
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
    """Open by content. What the header declares is checked before anything is decoded."""
    data = path.read_bytes()
    kind = headers.kind(data[: headers.SNIFF_BYTES])
    if not data:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    if kind is None or (kind is Kind.HEIF and not _heif_is_installed()):
        raise DomainError(ErrorCode.IMAGE_UNSUPPORTED)

    frames = 1
    if kind is Kind.GIF:
        extent = headers.gif_extent(data, MOST_FRAMES)
        frames = extent.frames
        _allow(kind, extent.width, extent.height, frames)
    elif kind is Kind.WEBP:
        _allow(kind, *headers.webp_extent(data), frames)

    with Image.open(BytesIO(data), formats=[kind]) as image:
        if kind in (Kind.WEBP, Kind.PNG):
            frames = getattr(image, "n_frames", 1)
        _allow(kind, image.width, image.height, frames)
        if kind is Kind.PNG:
            _scale_transparent_colour(image, depth=data[_PNG_DEPTH_AT])
        yield _Source(image, kind, frames, len(data))


def _scale_transparent_colour(image: Image.Image, depth: int) -> None:
    """Pillow tells a PNG's transparent colour (tRNS) in the file's own bits a channel, but its pixels in eight."""
    colour = image.info.get("transparency")
    if isinstance(colour, int) and depth in (2, 4):
        most = 2**depth - 1
        image.info["transparency"] = (colour & most) * (255 // most)
    elif isinstance(colour, tuple) and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in colour)


def _heif_is_installed() -> bool:
    """HEIC, as iPhones write it, needs the optional extra `heic`."""
    try:
        importlib.import_module("pi_heif").register_heif_opener()
    except ImportError:
        return False
    return True


def _allow(kind: Kind, width: int, height: int, frames: int) -> None:
    most = MOST_JPEG_PIXELS if kind is Kind.JPEG else MOST_PIXELS
    if frames > MOST_FRAMES or width * height * frames > most:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE)


def _still(source: _Source, side: int) -> Image.Image:
    """The first frame: RGB or RGBA, sRGB, upright, at most `side` px long, without metadata."""
    image = source.image
    if source.kind is Kind.JPEG:
        _draft(image, side)
    profile = image.info.get("icc_profile")
    turn = _turn(image)
    image.load()
    image = _srgb(_within(_eight_bit(image), side), profile)
    if turn is not None:
        image = image.transpose(turn)
    return _bare(image)


def _draft(image: Image.Image, side: int) -> None:
    """Let libjpeg decode fewer pixels: to no less than the wanted side, in the photo's own shape.

    A box of another shape would be bounded by the short side, and save less.
    """
    scale = side * DRAFT_SIDE / LONG_SIDE / max(image.size)
    if scale < 1:
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
    if image.width * image.height > MOST_PIXELS:
        raise DomainError(ErrorCode.IMAGE_TOO_LARGE)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """What EXIF asks for. Damaged EXIF is common in honest photos and no reason to refuse one."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _eight_bit(image: Image.Image) -> Image.Image:
    """RGBA where anything is transparent; else RGB, CMYK or L, whose colours may need a profile."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return _of_sixteen_bits(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode == "1":
        return image.convert("L")
    if image.mode in ("RGB", "CMYK", "L"):
        return image
    return image.convert("RGB")


def _of_sixteen_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits; the one value that is transparent is looked for before it loses half of them."""
    wide = image.convert("I")
    # convert("L") would clip at 255 instead of scaling.
    grey = wide.point([value >> 8 for value in range(65536)], "L")
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return _bare(grey)
    alpha = wide.point([255 * (value != transparent) for value in range(65536)], "L")
    return _bare(Image.merge("LA", (grey, alpha)).convert("RGBA"))


def _within(image: Image.Image, side: int) -> Image.Image:
    """At most `side` px on the long side; never enlarged."""
    scale = side / max(image.size)
    if scale >= 1:
        return image
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB. Without a profile, or with a broken one, the numbers are taken as they are."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image.convert("RGB") if alpha else image
    if profile:
        colours = _converted(colours, profile)
    colours = colours.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def _converted(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if image.mode == "RGB" and "sRGB" in ImageCms.getProfileDescription(source):
            return image
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return image


def _bare(image: Image.Image) -> Image.Image:
    """Without what Pillow would otherwise write along: profile, EXIF, XMP, comments."""
    image.info = {}
    return image


def _thumb(image: Image.Image, limit_bytes: int) -> fitting.Fitted:
    small = _within(image, THUMB_SIDE)
    return fitting.fit_still(small, min(limit_bytes, THUMB_BYTES), THUMB_QUALITY, method=2)


def _moving(source: _Source, limit_bytes: int) -> Rendered:
    """An animation. Up to 480 px it is its own thumbnail, so that stickers move; else that is a still.

    A smaller copy that moves is no way out: a drawing scaled down is no longer flat, and often has
    several times the bytes.
    """
    animation = _animation(source, limit_bytes)
    stored = fitting.fit_animation(animation, limit_bytes)
    thumb = stored
    if max(stored.width, stored.height) > THUMB_SIDE:
        thumb = _thumb(animation.frames[0], limit_bytes)
    return Rendered(stored.data, thumb.data, stored.width, stored.height)


def _animation(source: _Source, limit_bytes: int) -> fitting.Animation:
    """Every frame as it looks when shown, treated as a still is."""
    image, profile, turn = source.image, source.image.info.get("icc_profile"), _turn(source.image)
    worth = math.sqrt(ANIMATION_GAIN * limit_bytes / source.bytes)
    side = min(LONG_SIDE, math.ceil(min(1.0, worth) * max(image.size)))
    frames, durations = [], []
    # An APNG may begin with a picture for programs that know no animation; it is not part of it.
    for index in range(int(getattr(image, "default_image", False)), source.frames):
        image.seek(index)
        image.load()
        frame = _srgb(_within(_eight_bit(image), side), profile)
        frames.append(_bare(frame if turn is None else frame.transpose(turn)))
        durations.append(_duration(image))
    return fitting.Animation(frames, durations, loop=int(image.info.get("loop", 1)))


def _duration(image: Image.Image) -> int:
    """How long the frame is shown, in ms. Browsers show what asks for 10 ms or less for 100."""
    duration = round(image.info.get("duration", 0))
    return duration if duration > 10 else 100
