"""Decodes an untrusted picture file and encodes it as WebP or AVIF. Runs in a worker process, never in the server.

Four steps, in this order: find the format in the first bytes, check the decoded size that the header
declares, repair damage that browsers tolerate (`repair`), then decode with the decoder of that format only.
The result is encoded from the pixels, so neither the upload's bytes nor its metadata are served.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

from PIL import Image

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import avif, photographs, stills, webp
from chatserver.media.encoded import EncodedImage
from chatserver.media.open_checked import Source, again, opened
from chatserver.media.photographs import LONG_SIDE, SMALL_PIXELS
from chatserver.media.protocol import Rendered
from chatserver.media.thumbnails import THUMB_SIDE, thumbnail

if TYPE_CHECKING:
    from chatserver.media.animation import Animation

# For pictures that are not photographs, and for long pictures, the area is limited instead of the long side, so that
# their text stays readable.
AREA = LONG_SIDE**2
# A long picture, such as a screenshot of a whole conversation, keeps this short side, within AREA.
SHORT_SIDE = 600
# The short side in pixels of a long picture that does not fit with SHORT_SIDE: half of the short side of a phone's
# screen.
LEGIBLE_SIDE = 544
# A very long picture may have this area, so that its short side can be LEGIBLE_SIDE too.
LEGIBLE_AREA = 2 * AREA
LEGIBLE_QUALITY_MIN = 8

# The WebP copy of an animation is small, so the worker decodes fewer pixels for it.
_COPIED_PIXELS_MAX = 4_000_000

AVATAR_SIDE = 256
AVATAR_BYTES = 50 * 1024


def picture(path: str | PathLike[str], limit_bytes: int) -> Rendered:
    """Encode the file as WebP or AVIF of at most `limit_bytes` (1024 or more), with a thumbnail of 480 px as WebP.

    The long side of a photograph is at most LONG_SIDE px. Any other picture keeps its exact pixels if they fit as
    lossless WebP, else it has at most AREA pixels. Applies the orientation, converts to sRGB, keeps transparency and
    animation.
    Raises DomainError: `image_unsupported`, `image_unreadable`, `image_too_large`.
    """
    with _domain_errors(), opened(path) as source:
        if source.frames > 1:
            return _moving(source, limit_bytes)
        return _still(source, limit_bytes)


def webp_copy(path: str | PathLike[str], limit_bytes: int) -> Rendered:
    """Encode the AVIF at `path`, made by `picture`, as WebP with a thumbnail, for browsers that do not read AVIF."""
    with _domain_errors(), opened(path) as source:
        if source.frames > 1:
            # imported here, because a worker starts sooner without them
            from chatserver.media import animation_decoder, animation_encoder

            loaded = animation_decoder.load(source, limit_bytes, kept_max=_COPIED_PIXELS_MAX)
            return _animated(animation_encoder.fit_webp(loaded, limit_bytes), loaded, limit_bytes)
        image = stills.load(source, max(source.image.size))
        return _with_thumbnail(webp.fit_still(image, limit_bytes), image, limit_bytes)


def avatar(path: str | PathLike[str]) -> bytes:
    """The centre of the first frame as a WebP of 256 × 256 px and at most 50 KiB. Raises as `picture` does."""
    with _domain_errors(), opened(path) as source:
        width, height = source.image.size
        # Decode twice the square's size, so that the lower quality of the draft is not visible. The long side of a
        # very narrow image is limited.
        image = stills.load(source, min(2 * AVATAR_SIDE * max(width, height) // min(width, height), 8 * LONG_SIDE))
        from PIL import ImageOps  # imported here, because a worker starts sooner without it

        square = ImageOps.fit(image, (AVATAR_SIDE, AVATAR_SIDE), Image.Resampling.LANCZOS)
        return webp.fit_square(square, AVATAR_BYTES)


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


def _still(source: Source, limit_bytes: int) -> Rendered:
    is_photograph = source.kind in stills.PHOTOGRAPH_KINDS
    width, height = source.image.size
    side = _long_side(width, height, is_photograph)
    if is_photograph and side <= LONG_SIDE:
        if rendered := photographs.render(source, limit_bytes):
            return rendered
        source = again(source)
    image = stills.load(source, side if is_photograph else max(width, height))
    exact = webp.lossless(image, limit_bytes) if not is_photograph or webp.is_flat(image) else None
    image = stills.shrunk(image, side)
    stored = exact or _lossy(image, limit_bytes, is_long=max(image.size) > LONG_SIDE)
    return _with_thumbnail(stored, image, limit_bytes)


def _lossy(image: Image.Image, limit_bytes: int, is_long: bool) -> EncodedImage:
    if image.width * image.height <= SMALL_PIXELS:
        return webp.fit_still(image, limit_bytes)
    if not is_long:
        return avif.fit_still(image, limit_bytes)
    return avif.fit_still(image, limit_bytes, quality_min=LEGIBLE_QUALITY_MIN, short_side=LEGIBLE_SIDE)


def _long_side(width: int, height: int, is_photograph: bool) -> int:
    """The long side in pixels of the stored picture; at most the long side of the uploaded picture."""
    long, short = max(width, height), min(width, height)
    area_scale = math.sqrt(AREA / (width * height))
    legible = min(LEGIBLE_SIDE / short, area_scale * math.sqrt(LEGIBLE_AREA / AREA))
    readable = max(legible, min(SHORT_SIDE / short, area_scale) if is_photograph else area_scale)
    return int(min(1.0, max(LONG_SIDE / long, readable), webp.SIDE_MAX / long) * long)


def _with_thumbnail(stored: EncodedImage, image: Image.Image, limit_bytes: int) -> Rendered:
    return Rendered(stored.data, thumbnail(image, limit_bytes).data, stored.width, stored.height)


def _moving(source: Source, limit_bytes: int) -> Rendered:
    from chatserver.media import animation_decoder, animation_encoder  # imported here, as in `webp_copy`

    loaded = animation_decoder.load(source, limit_bytes)
    return _animated(animation_encoder.fit(loaded, limit_bytes), loaded, limit_bytes)


def _animated(stored: EncodedImage, animation: Animation, limit_bytes: int) -> Rendered:
    """Use an animation of up to THUMB_SIDE px as its own thumbnail; for a larger animation use its first frame.

    The animation is not scaled down for the thumbnail, because scaling a drawing adds colours, and often multiplies
    its bytes.
    """
    is_small = max(stored.width, stored.height) <= THUMB_SIDE
    thumb = stored.data if is_small else thumbnail(animation.frames[0], limit_bytes).data
    return Rendered(stored.data, thumb, stored.width, stored.height)
