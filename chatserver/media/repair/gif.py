"""Repairs a truncated GIF (GIF89a): closes the block in which the file ends, and makes missing rows transparent."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageChops

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.repair.damage import (
    Repaired,
    accepting_truncated,
    check_missing,
    repeat_rows_from,
    without_rows_from,
)

_END = b"\0\x3b"
# A graphic control extension that makes one colour transparent; without its last two bytes, the colour index and 0.
_TRANSPARENT = b"\x21\xf9\x04\x01\0\0"
_INTERLACED = 0x40


def repaired(data: bytes) -> Repaired:
    """Close the block in which the file ends. A missing trailer needs no repair.

    Raises DomainError: `image_unreadable` for a truncated animation, and for a file that ends before its first
    picture's data.
    """
    pictures: list[int] = []
    at = 13 + _colour_table_bytes(data[10:11])
    while at < len(data) and data[at] in (0x21, 0x2C):
        block = at + 2
        if data[at] == 0x2C:
            pictures.append(at)
            block = at + 11 + _colour_table_bytes(data[at + 9 : at + 10])
        while block < len(data) and data[block] and block + 1 + data[block] <= len(data):
            block += 1 + data[block]
        if block >= len(data):
            return _closed(data + _END, pictures)
        if data[block]:
            # Set the length of the block in which the file ends to the number of bytes that are present.
            return _closed(data[:block] + bytes([len(data) - block - 1]) + data[block + 1 :] + _END, pictures)
        at = block + 1
    return Repaired(data)


def _closed(data: bytes, pictures: list[int]) -> Repaired:
    if len(pictures) != 1:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    return _CutGif(data, pictures[0])


class _CutGif(Repaired):
    def __init__(self, data: bytes, at: int) -> None:
        """`at` is the offset of the picture's descriptor."""
        super().__init__(data)
        self._at = at
        self._is_interlaced = bool(data[at + 9] & _INTERLACED)
        self._first_missing: int | None = None

    def load(self, image: Image.Image) -> Image.Image:
        """Find missing pixels by decoding twice: they have the transparent colour, so they change with its index."""
        difference = ImageChops.difference(self._decoded(0), self._decoded(1))
        box = difference.getbbox()
        if box is not None:
            check_missing(1 - difference.histogram()[0] / (difference.width * difference.height))
            self._first_missing = box[1]
        with accepting_truncated():
            image.load()
        return image

    def without_missing(self, image: Image.Image) -> Image.Image:
        if self._first_missing is None:
            return image
        mend = repeat_rows_from if self._is_interlaced else without_rows_from
        return mend(image, self._first_missing)

    def _decoded(self, transparent: int) -> Image.Image:
        extension = _TRANSPARENT + bytes((transparent, 0))
        image = Image.open(BytesIO(self.data[: self._at] + extension + self.data[self._at :]), formats=["GIF"])
        with accepting_truncated():
            image.load()
        return image


def _colour_table_bytes(flags: bytes) -> int:
    """The size of the colour table, from the byte of flags; 0 if the file ends before this byte."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0
