"""How often an animated AVIF is played. Pillow cannot say it: libavif then writes "for ever".

A track says it by its duration, as a multiple of what its edit list plays (AV1 Image File Format, section 8).
"""

from __future__ import annotations

import struct

_FOR_EVER = b"\xff" * 8
# From the type of a box of version 1 to its duration, and the type of the box that says what one pass takes.
_MOVIE_DURATION, _TRACK_DURATION = 4 + 4 + 8 + 8 + 4, 4 + 4 + 8 + 8 + 4 + 4
_EDIT_DURATION = 4 + 4 + 4
# A larger count is for ever: WebP has 16 bits for it (RFC 9649, section 2.7.1.1).
PLAYS_MAX = 65_535


def plays(data: bytes) -> int:
    """How often the animation is played: 0 for ever, also where the file does not say it as libavif does."""
    edit, track = data.find(b"elst"), data.find(b"tkhd")
    if min(edit, track) < 0 or len(data) < max(edit + _EDIT_DURATION, track + _TRACK_DURATION) + 8:
        return 0
    (once,) = struct.unpack_from(">Q", data, edit + _EDIT_DURATION)
    (all_of_it,) = struct.unpack_from(">Q", data, track + _TRACK_DURATION)
    is_bounded = data[track + 4] == data[edit + 4] == 1 and 0 < once <= all_of_it < once * PLAYS_MAX
    return int(all_of_it // once) if is_bounded else 0


def repeated(data: bytes, times: int) -> bytes:
    """The file, as libavif 1.4 writes it, that ends after `times` passes; unchanged for 0, which is for ever."""
    edit = data.find(b"elst")
    if not times or edit < 0:
        return data
    (once,) = struct.unpack_from(">Q", data, edit + _EDIT_DURATION)
    found = bytearray(data)
    for name, offset in ((b"mvhd", _MOVIE_DURATION), (b"tkhd", _TRACK_DURATION)):
        at = found.find(name)
        while at >= 0:
            if found[at + offset : at + offset + 8] == _FOR_EVER:
                struct.pack_into(">Q", found, at + offset, once * times)
            at = found.find(name, at + 4)
    return bytes(found)
