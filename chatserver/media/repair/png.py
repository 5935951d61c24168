"""Repairs a PNG: keeps only the chunks that define its pixels and colours (PNG specification, third edition).

So an unneeded chunk cannot make the picture unreadable. Dropped are texts, of any decompressed length, and ancillary
chunks with a wrong checksum, which libpng drops too. The missing rows of truncated image data become transparent.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.headers import PROFILE_BYTES_MAX
from chatserver.media.repair.damage import Repaired, check_missing, repeat_rows_from, without_rows_from

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_FRAMES = (b"acTL", b"fcTL", b"fdAT")
# Adam7 (section 8.1), for each pass: first column, first row, step of the columns, step of the rows.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class _Chunk:
    """`is_cut` is true if the file ends inside the chunk, `is_valid` if the chunk's checksum is correct."""

    name: bytes
    content: bytes
    is_cut: bool
    is_valid: bool


@dataclass(frozen=True, slots=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    is_interlaced: bool

    def row_bytes(self, width: int) -> int:
        """The bytes of a row of `width` pixels, including the byte that names the row's filter."""
        return 1 + (width * self.depth * _CHANNELS.get(self.colour, 4) + 7) // 8

    def passes(self) -> Iterator[tuple[int, int]]:
        """Width and rows of each pass."""
        if not self.is_interlaced:
            yield self.width, self.height
            return
        for left, top, across, down in _PASSES:
            width, rows = -(-(self.width - left) // across), -(-(self.height - top) // down)
            if width > 0 and rows > 0:
                yield width, rows


def repaired(data: bytes) -> Repaired:
    """Repair the file. Raises DomainError: `image_unreadable` if too much is missing.

    The caller has checked the size that the header declares.
    """
    chunks = _chunks(data)
    last = next(chunks, None)
    if last is None or last.name != b"IHDR" or last.is_cut or len(last.content) != 13:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    header = _header(last.content)
    kept = [last] if last.is_valid else []
    for last in chunks:
        if _is_needed(last, header):
            kept.append(last)
    if last.name == b"IEND":
        return Repaired(_file(kept))
    if any(chunk.name in _FRAMES for chunk in kept):
        # Of a truncated animation only the end marker may be missing, because other losses cannot be measured.
        if last.is_cut:
            raise DomainError(ErrorCode.IMAGE_UNREADABLE)
        return Repaired(_file(kept))
    return _cut(kept, header)


class _CutPng(Repaired):
    def __init__(self, data: bytes, header: _Header, rows: int) -> None:
        """`rows` is the number of decoded rows of the last pass, or of the picture if it is not interlaced."""
        super().__init__(data)
        self._header = header
        self._rows = rows

    def without_missing(self, image: Image.Image) -> Image.Image:
        if self._header.is_interlaced:
            return repeat_rows_from(image, 2 * self._rows + 1)
        return without_rows_from(image, self._rows)


def _cut(kept: list[_Chunk], header: _Header) -> _CutPng:
    """Complete the image data with zeros and compress it again."""
    passes = list(header.passes())
    expected = sum(header.row_bytes(width) * rows for width, rows in passes)
    raw = _decompressed(b"".join(chunk.content for chunk in kept if chunk.name == b"IDAT"), expected)
    missing = expected - len(raw)
    check_missing(missing / expected)
    width, rows = passes[-1]
    whole_rows = rows - -(-missing // header.row_bytes(width))
    # Drop an incomplete row, because its filter would spread the missing pixels.
    end = expected - (rows - whole_rows) * header.row_bytes(width)
    packed = zlib.compress(raw[:end] + bytes(expected - end), 1)
    others = [chunk for chunk in kept if chunk.name not in (b"IDAT", b"IEND")]
    return _CutPng(_file([*others, _Chunk(b"IDAT", packed, False, True)]), header, max(0, whole_rows))


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """The chunks up to IEND, or to the end of the file."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name = data[at + 4 : at + 8]
        end = at + 8 + length
        content = data[at + 8 : end]
        # The checksum of image data is not checked, as in Pillow; zlib has its own checksum.
        is_valid = name in (b"IDAT", b"fdAT") or data[end : end + 4] == zlib.crc32(name + content).to_bytes(4, "big")
        yield _Chunk(name, content, end > len(data), is_valid)
        if name == b"IEND":
            return
        at = end + 4


def _header(content: bytes) -> _Header:
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", content)
    return _Header(width, height, depth, colour, interlace == 1)


def _is_needed(chunk: _Chunk, header: _Header) -> bool:
    content = chunk.content
    match chunk.name:
        case b"IDAT" | b"fcTL" | b"fdAT":
            return True
        case b"PLTE":
            return header.colour == 3
        case b"tRNS":
            length_max = {0: 2, 2: 6, 3: 256}.get(header.colour, 0)
            has_length = len(content) == length_max or (header.colour == 3 and len(content) <= length_max)
            return chunk.is_valid and has_length
        case b"eXIf" | b"cICP" | b"sRGB":
            return chunk.is_valid
        case b"gAMA":
            return chunk.is_valid and len(content) == 4
        case b"cHRM":
            return chunk.is_valid and len(content) == 32
        case b"acTL":
            return chunk.is_valid and len(content) == 8
        case b"iCCP":
            return chunk.is_valid and _is_profile(content)
    return False


def _is_profile(content: bytes) -> bool:
    """True for a name, 0, the compression method 0, and a stream that decompresses to at most PROFILE_BYTES_MAX."""
    name, _, rest = content.partition(b"\0")
    if not name or rest[:1] != b"\0":
        return False
    try:
        decompressor = zlib.decompressobj()
        decompressor.decompress(rest[1:], PROFILE_BYTES_MAX)
    except zlib.error:
        return False
    return not decompressor.unconsumed_tail


def _decompressed(packed: bytes, size_max: int) -> bytes:
    """Decompress as much as possible of a truncated or damaged stream, at most `size_max` bytes."""
    decompressor = zlib.decompressobj()
    raw = bytearray()
    try:
        for at in range(0, len(packed), _PIECE_BYTES):
            piece = packed[at : at + _PIECE_BYTES]
            while piece and len(raw) < size_max:
                raw += decompressor.decompress(piece, size_max - len(raw))
                piece = decompressor.unconsumed_tail
        if len(raw) < size_max:
            raw += decompressor.flush()[: size_max - len(raw)]
    except zlib.error:
        pass
    return bytes(raw)


def _file(chunks: list[_Chunk]) -> bytes:
    parts = [SIGNATURE]
    for chunk in chunks:
        checksum = zlib.crc32(chunk.name + chunk.content)
        parts += (struct.pack(">I", len(chunk.content)), chunk.name, chunk.content, checksum.to_bytes(4, "big"))
    parts += (b"\0\0\0\0IEND", zlib.crc32(b"IEND").to_bytes(4, "big"))
    return b"".join(parts)
