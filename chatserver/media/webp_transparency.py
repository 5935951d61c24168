"""Marks an animated WebP as transparent if its canvas is.

libwebp's encoder sets the flag only if a frame has an alpha channel. An opaque frame that is smaller than the canvas
leaves the rest of it transparent in browsers, with or without the flag; without it, Pillow and OpenCV show black.
"""

from __future__ import annotations

from collections.abc import Iterator

# Flags of the chunk VP8X (RFC 9649, section 2.7), and of ANMF (section 2.7.1.1): the frame is cleared after its time.
_ALPHA, _ANIMATION = 0x10, 0x02
_DISPOSE = 0x01
_FLAGS, _CANVAS = 20, slice(24, 30)
# From the start of ANMF. The last byte of the header has the flags.
_FRAME_SIZE, _FRAME_HEADER = slice(14, 20), 24


def marked(data: bytes) -> bytes:
    """Set the flag in a WebP if it is an animation that leaves a part of the canvas uncovered."""
    if data[12:16] != b"VP8X" or len(data) <= _FLAGS or data[_FLAGS] & (_ALPHA | _ANIMATION) != _ANIMATION:
        return data
    frames = [data[at : at + _FRAME_HEADER] for at in _chunks(data) if data[at : at + 4] == b"ANMF"]
    if not frames or not _is_uncovered(frames, data[_CANVAS]):
        return data
    return data[:_FLAGS] + bytes((data[_FLAGS] | _ALPHA,)) + data[_FLAGS + 1 :]


def _is_uncovered(frames: list[bytes], canvas: bytes) -> bool:
    return frames[0][_FRAME_SIZE] != canvas or any(frame[-1] & _DISPOSE for frame in frames[:-1])


def _chunks(data: bytes) -> Iterator[int]:
    """The offset of each chunk."""
    at = 12
    while at + _FRAME_HEADER <= len(data):
        yield at
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
