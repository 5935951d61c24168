"""Repairs a WebP that is truncated, lacks its padding, or has extra bytes at the end (RFC 9649, section 2)."""

from __future__ import annotations

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media import webp_transparency
from chatserver.media.repair.damage import Repaired

# The largest share of bytes that may be missing. The header gives the file's size, so this share is known exactly.
MISSING_BYTES_MAX = 0.06
# libwebp reads zeros as a plain colour; it may need more zeros than bytes are missing.
_SPARE_ZEROS = bytes(64)


def repaired(data: bytes) -> Repaired:
    """Complete the file with zeros. Raises DomainError: `image_unreadable` if too much is missing."""
    size = int.from_bytes(data[4:8], "little")
    size += size % 2
    missing = 8 + size - len(data)
    if missing > 1 and missing > MISSING_BYTES_MAX * size:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    whole = data[12 : 8 + size] + bytes(max(0, missing))
    if missing > 1:
        whole = _with_spare_zeros(whole)
    file = b"RIFF" + (4 + len(whole)).to_bytes(4, "little") + b"WEBP" + whole
    return Repaired(webp_transparency.marked(file))


def _with_spare_zeros(chunks: bytes) -> bytes:
    """Make the last chunk longer if it is a picture. Not for an animation, whose frames store their own length."""
    at = 0
    while at + 8 <= len(chunks):
        length = int.from_bytes(chunks[at + 4 : at + 8], "little")
        after = at + 8 + length + length % 2
        if after >= len(chunks):
            break
        at = after
    if chunks[at : at + 4] not in (b"VP8 ", b"VP8L"):
        return chunks
    longer = len(chunks) - at - 8 + len(_SPARE_ZEROS)
    return chunks[: at + 4] + longer.to_bytes(4, "little") + chunks[at + 8 :] + _SPARE_ZEROS
