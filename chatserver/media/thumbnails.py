"""Makes the thumbnail for the message list: WebP of at most 480 px and 48 KiB."""

from __future__ import annotations

from PIL import Image

from chatserver.media import stills, webp
from chatserver.media.encoded import EncodedImage

THUMB_SIDE = 480
# If a picture is higher than THUMB_RATIO_MAX times its width, the page shows only its top (elements/message.js).
THUMB_RATIO_MAX = 2
THUMB_BYTES = 48 * 1024
THUMB_QUALITY = 75


def thumbnail(image: Image.Image, limit_bytes: int) -> EncodedImage:
    """Encode a thumbnail of an RGB or RGBA image as WebP; for a high image, of its top only."""
    if image.height > THUMB_RATIO_MAX * image.width:
        image = image.crop((0, 0, image.width, THUMB_RATIO_MAX * image.width))
    small = stills.shrunk(image, THUMB_SIDE)
    return webp.fit_still(small, min(limit_bytes, THUMB_BYTES), THUMB_QUALITY, method=2)
