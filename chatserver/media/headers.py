"""Reads a file's format and its decoded size in pixels from its header, without decoding it.

The file name and the Content-Type of an upload come from the client and are ignored. GIF and WebP
headers are parsed here, because Pillow allocates the canvas of a WebP when it opens the file, and
counts the frames of a GIF by reading all of them without a limit.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """The accepted formats; the values are Pillow's names for them."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    HEIF = "HEIF"
    AVIF = "AVIF"
    BMP = "BMP"
    TIFF = "TIFF"


class Truncated(Exception):
    """The file ends, or is invalid, inside a structure that its format requires."""


class Extent(NamedTuple):
    """Width and height of the canvas in pixels, and the number of frames."""

    width: int
    height: int
    frames: int


SNIFF_BYTES = 64
# The limit of the decompressed colour profile of a PNG. Profiles of printers have 2 MB.
PROFILE_BYTES_MAX = 4 * 1024 * 1024

_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_HEVC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))


def kind(head: bytes) -> Kind | None:
    """The format of a file whose first SNIFF_BYTES bytes are `head`; None for a format that is not accepted."""
    if head.startswith(b"\xff\xd8\xff"):
        return Kind.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Kind.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.WEBP
    if head[4:8] == b"ftyp":
        found = brands(head)
        if found & _AVIF_BRANDS:
            return Kind.AVIF
        return Kind.HEIF if found & _HEVC_BRANDS else None
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):  # a plus: BigTIFF
        return Kind.TIFF
    if _is_bmp(head):
        return Kind.BMP
    return None


def brands(head: bytes) -> set[bytes]:
    """The major and the compatible brands of an ISO media file (ISO/IEC 14496-12, section 4.3)."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    return {head[8:12], *(head[i : i + 4] for i in range(16, end - 3, 4))}


def png_extent(head: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the first 24 bytes of a PNG (section 11.2.1). Raises Truncated."""
    if len(head) < 24:
        raise Truncated
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


def webp_extent(head: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the first 30 bytes of a WebP (RFC 9649, section 2). Raises Truncated."""
    if len(head) < 30:
        raise Truncated
    chunk = head[12:16]
    if chunk == b"VP8X":
        return 1 + _little_endian(head[24:27]), 1 + _little_endian(head[27:30])
    if chunk == b"VP8L":
        bits = _little_endian(head[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return _little_endian(head[26:28]) & 0x3FFF, _little_endian(head[28:30]) & 0x3FFF
    raise Truncated


def gif_extent(data: bytes, frames_max: int) -> Extent:
    """Parse the blocks of a GIF (GIF89a, appendix B); stop after `frames_max` + 1 frames.

    If a frame exceeds the declared canvas, the canvas is enlarged to contain it, as Pillow does. Raises
    Truncated if the file ends inside a block. Accepts a missing trailer, as browsers do.
    """
    try:
        width, height = _little_endian(data[6:8]), _little_endian(data[8:10])
        at = 13 + _colour_table_bytes(data[10])
        frames = 0
        while at < len(data) and frames <= frames_max:
            block = data[at]
            if block == 0x21:
                at = _after_sub_blocks(data, at + 2)
            elif block == 0x2C:
                left, top, wide, high = (_little_endian(data[at + i : at + i + 2]) for i in (1, 3, 5, 7))
                width, height = max(width, left + wide), max(height, top + high)
                at = _after_sub_blocks(data, at + 11 + _colour_table_bytes(data[at + 9]))
                frames += 1
            else:
                break
    except IndexError:
        raise Truncated from None
    if not frames:
        raise Truncated
    return Extent(width, height, frames)


def _is_bmp(head: bytes) -> bool:
    """Check the letters BM, and the length of the second header (Windows GDI, wingdi.h): many texts begin with BM."""
    return head.startswith(b"BM") and _little_endian(head[14:18]) in (12, 40, 52, 56, 64, 108, 124)


def _little_endian(data: bytes) -> int:
    return int.from_bytes(data, "little")


def _colour_table_bytes(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _after_sub_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += size + 1
    return at + 1
