"""The result type of all encoders, and the smallest size limit that they accept."""

from __future__ import annotations

from typing import NamedTuple

# A smaller limit cannot be met for every image: an empty animation alone has about 150 bytes as WebP, 700 as AVIF.
LIMIT_BYTES_MIN = 1024


class EncodedImage(NamedTuple):
    """WebP or AVIF bytes within the limit, and the image's width and height in pixels."""

    data: bytes
    width: int
    height: int


def check_limit(limit: int) -> None:
    """Raises ValueError if `limit` is below LIMIT_BYTES_MIN."""
    if limit < LIMIT_BYTES_MIN:
        raise ValueError(f"the limit of {limit} bytes is below {LIMIT_BYTES_MIN} bytes")
