"""Reads and writes the loop count of an animated AVIF. Pillow cannot set it, and libavif then writes "endless".

The count is the duration of the track divided by the duration in its edit list (AV1 Image File Format, section 8).
"""

from __future__ import annotations

import struct

_FOR_EVER = b"\xff" * 8
# Offsets in bytes from the type of a version 1 box to its duration. The box `elst` has the duration of one pass.
_MOVIE_DURATION, _TRACK_DURATION = 4 + 4 + 8 + 8 + 4, 4 + 4 + 8 + 8 + 4 + 4
_EDIT_DURATION = 4 + 4 + 4
# A larger count is treated as endless, because WebP has 16 bits for it (RFC 9649, section 2.7.1.1).
PLAYS_MAX = 65_535


def plays(data: bytes) -> int:
    """The loop count of the animation; 0 for endless, also if the file does not store the count as libavif does."""
    edit, track = data.find(b"elst"), data.find(b"tkhd")
    if min(edit, track) < 0 or len(data) < max(edit + _EDIT_DURATION, track + _TRACK_DURATION) + 8:
        return 0
    (once,) = struct.unpack_from(">Q", data, edit + _EDIT_DURATION)
    (all_of_it,) = struct.unpack_from(">Q", data, track + _TRACK_DURATION)
    is_bounded = data[track + 4] == data[edit + 4] == 1 and 0 < once <= all_of_it < once * PLAYS_MAX
    return int(all_of_it // once) if is_bounded else 0


def repeated(data: bytes, times: int) -> bytes:
    """Set the loop count of a file written by libavif 1.4 to `times`; return it unchanged for 0 (endless)."""
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
