"""Brings pictures of a high dynamic range (PQ, HLG) to sRGB, as Chromium shows them on an ordinary screen."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable

from PIL import ImageFilter

from chatserver.media.primaries import Primaries, to_srgb

PQ, HLG = 16, 18
# Transfer characteristics (ITU-T H.273, table 3) with a high dynamic range.
TRANSFERS = frozenset((PQ, HLG))

# In cd/m²: the luminance of white text (ITU-R BT.2408, section 2.1), and the luminance from which a pixel is white.
_WHITE, _PEAK = 203.0, 1000.0
# The tone curve: input as a multiple of _WHITE -> linear value of sRGB. Measured in Chromium 156 on greys in PQ. Up to
# white it halves the value; above white it is flatter.
_TONES = (
    (0.0, 0.0), (1.0, 0.5), (1.158, 0.5647), (1.344, 0.6172), (1.558, 0.6654), (1.804, 0.7157), (2.088, 0.7605),
    (2.416, 0.7991), (2.794, 0.8469), (3.229, 0.8879), (3.731, 0.9216), (4.309, 0.9647), (_PEAK / _WHITE, 1.0),
)  # fmt: skip
_TONE_STARTS = [x for x, _ in _TONES]
# Steps of each channel in the table; colours between them are interpolated.
_SIZE = 33


def lookup_table(transfer: int, primaries: Primaries) -> ImageFilter.Color3DLUT:
    """Build a filter from encoded RGB to sRGB; `transfer` is one of TRANSFERS. Takes 0.1 s."""
    matrix = to_srgb(primaries)
    linear = [_LINEAR[transfer](index / (_SIZE - 1)) for index in range(_SIZE)]
    adjust = _system_gamma if transfer == HLG else _unchanged
    table: list[tuple[float, float, float]] = []
    for blue in linear:
        for green in linear:
            for red in linear:
                r, g, b = adjust(red, green, blue)
                peak = max(r, g, b)
                # One factor for all channels keeps the hue.
                factor = _tone(peak) / peak if peak > 0 else 0.0
                x, y, z = (_encoded(factor * (m[0] * r + m[1] * g + m[2] * b)) for m in matrix)
                table.append((x, y, z))
    return ImageFilter.Color3DLUT(_SIZE, table)


def _pq_linear(value: float) -> float:
    """Decode PQ to linear light, in multiples of _WHITE (SMPTE ST 2084, section 5.1)."""
    power = value ** (1 / 78.84375)
    nits = 10_000 * (max(power - 0.8359375, 0.0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    return float(nits) / _WHITE


def _hlg_linear(value: float) -> float:
    """Decode HLG to linear scene light, 0 to 1 (ITU-R BT.2100-2, table 5)."""
    return value**2 / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


def _system_gamma(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """Convert scene light to light of a display of _PEAK, in multiples of _WHITE (ITU-R BT.2100-2, table 5)."""
    luminance = 0.2627 * red + 0.6780 * green + 0.0593 * blue
    scale = luminance**0.2 * _PEAK / _WHITE
    return scale * red, scale * green, scale * blue


def _unchanged(red: float, green: float, blue: float) -> tuple[float, float, float]:
    return red, green, blue


def _tone(value: float) -> float:
    if value >= _PEAK / _WHITE:
        return 1.0
    above = max(bisect_right(_TONE_STARTS, value), 1)
    (x0, y0), (x1, y1) = _TONES[above - 1], _TONES[above]
    return y0 + (y1 - y0) * (value - x0) / (x1 - x0)


def _encoded(linear: float) -> float:
    """Encode linear light as sRGB (IEC 61966-2-1, section 5.2)."""
    if linear <= 0.0031308:
        return max(12.92 * linear, 0.0)
    return min(1.055 * math.pow(linear, 1 / 2.4) - 0.055, 1.0)


_LINEAR: dict[int, Callable[[float], float]] = {PQ: _pq_linear, HLG: _hlg_linear}
