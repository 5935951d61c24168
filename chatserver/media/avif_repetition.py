"""Reads and writes the loop count of an animated AVIF. Pillow cannot set it, and libavif then writes "endless".

A flag of the edit list says whether the track repeats; the count is the duration of the track divided by the duration
in its edit list (AV1 Image File Format, section 8). The boxes have durations of 32 bits (version 0: ffmpeg) or of
64 bits (version 1: libavif).
"""

from __future__ import annotations

import struct

_FOR_EVER = b"\xff" * 8
_REPEATS = 1
# Offsets in bytes from the type of a box to its duration, in versions 0 and 1 (ISO/IEC 14496-12, sections 8.3.2 and
# 8.6.6). The box `elst` has the duration of one pass.
_TRACK_DURATIONS = (4 + 4 + 4 + 4 + 4 + 4, 4 + 4 + 8 + 8 + 4 + 4)
_MOVIE_DURATION, _TRACK_DURATION = 4 + 4 + 8 + 8 + 4, _TRACK_DURATIONS[1]
_EDIT_DURATION = 4 + 4 + 4
# A larger count is treated as endless, because WebP has 16 bits for it (RFC 9649, section 2.7.1.1).
PLAYS_MAX = 65_535


def plays(data: bytes) -> int:
    """The loop count of the animation; 0 for endless, also if the file has no edit list."""
    edit, track = data.find(b"elst"), data.find(b"tkhd")
    if min(edit, track) < 0:
        return 0
    try:
        once = _duration(data, edit, (_EDIT_DURATION, _EDIT_DURATION))
        all_of_it = _duration(data, track, _TRACK_DURATIONS)
    except (IndexError, struct.error):
        return 0
    if not once:
        return 0
    if not data[edit + 7] & _REPEATS:
        return 1
    count = -(-all_of_it // once)
    return count if count < PLAYS_MAX else 0


def _duration(data: bytes, box: int, offsets: tuple[int, int]) -> int:
    """The duration in the box whose type is at `box`. Raises IndexError or struct.error if the file ends before it."""
    version = data[box + 4]
    (duration,) = struct.unpack_from(">Q" if version else ">I", data, box + offsets[version != 0])
    return int(duration)


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
