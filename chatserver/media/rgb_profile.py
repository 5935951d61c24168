"""Builds ICC profiles of RGB colour spaces, for Pillow's colour management (ICC.1:2001-04, version 2.4)."""

from __future__ import annotations

import struct

from chatserver.media.primaries import D50, Primaries, to_xyz_d50

_CURVE_POINTS = 1024


def _srgb_linear(value: float) -> float:
    """Decode an sRGB value to linear light (IEC 61966-2-1, section 5.2)."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


SRGB_CURVE = tuple(_srgb_linear(index / (_CURVE_POINTS - 1)) for index in range(_CURVE_POINTS))


def build(primaries: Primaries, curve: float | tuple[float, ...]) -> bytes:
    """Build a display profile. `curve` decodes to linear light: a gamma (for example 2.2), or equally spaced values."""
    columns = zip(*to_xyz_d50(primaries), strict=True)
    red, green, blue = (_xyz(column) for column in columns)
    tone = _curve(curve)
    tags = {
        b"desc": _description(b"RGB"), b"cprt": b"text\0\0\0\0-\0", b"wtpt": _xyz(D50), b"rXYZ": red, b"gXYZ": green,
        b"bXYZ": blue, b"rTRC": tone, b"gTRC": tone, b"bTRC": tone,
    }  # fmt: skip
    table, body = struct.pack(">I", len(tags)), b""
    begin = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", begin + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = begin + len(body)
    header = struct.pack(">I4sI4s4s4s", size, b"", 0x02400000, b"mntr", b"RGB ", b"XYZ ") + bytes(12) + b"acsp"
    header += bytes(28) + struct.pack(">3i", *map(_fixed, D50))
    return header.ljust(128, b"\0") + table + body


def _curve(curve: float | tuple[float, ...]) -> bytes:
    points = curve
    if isinstance(points, float):
        points = tuple((index / (_CURVE_POINTS - 1)) ** points for index in range(_CURVE_POINTS))
    values = (round(min(max(point, 0.0), 1.0) * 65535) for point in points)
    return b"curv\0\0\0\0" + struct.pack(f">I{len(points)}H", len(points), *values)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *map(_fixed, values))


def _fixed(value: float) -> int:
    """Encode an s15Fixed16Number (ICC.1, section 5.3.4)."""
    return round(min(max(value, -32768.0), 32767.0) * 65536)


def _description(text: bytes) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(8 + 3 + 67)
