"""The primaries of colour spaces, and the matrices that convert from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
XY = tuple[float, float]

D65: XY = (0.3127, 0.3290)
# The white of ICC profiles (ICC.1, section 7.2.16), as X, Y, Z.
D50 = (0.9642, 1.0, 0.8249)
# The Bradford matrix for chromatic adaptation (ICC.1, annex E.3).
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


class Primaries(NamedTuple):
    """The chromaticities x, y of a colour space's red, green, blue and white."""

    red: XY
    green: XY
    blue: XY
    white: XY = D65

    @property
    def is_possible(self) -> bool:
        """False if the values are out of range or a conversion would divide by zero."""
        values = [value for point in self for value in point]
        (rx, ry), (gx, gy), (bx, by) = self.red, self.green, self.blue
        area = abs((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)) / 2
        return all(0 <= value <= 1 for value in values) and min(y for _, y in self) > 0.001 and area > 0.01


SRGB = Primaries((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# Colour primaries (ITU-T H.273, table 2).
PRIMARIES = {
    1: SRGB,
    4: Primaries((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: Primaries((0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Primaries((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    9: Primaries((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    11: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    12: Primaries((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}


def to_xyz_d50(primaries: Primaries) -> Matrix:
    """The matrix from linear RGB to X, Y, Z of D50. `primaries.is_possible` must be true."""
    columns = [_xyz(point) for point in primaries[:3]]
    matrix = _transposed(columns)
    scales = _times_vector(_inverse(matrix), _xyz(primaries.white))
    scaled = _transposed([[value * scale for value in column] for column, scale in zip(columns, scales, strict=True)])
    return multiplied(_adaptation(_xyz(primaries.white)), scaled)


def to_srgb(primaries: Primaries) -> Matrix:
    """The matrix from linear RGB of these primaries to linear RGB of sRGB."""
    return multiplied(_inverse(to_xyz_d50(SRGB)), to_xyz_d50(primaries))


def multiplied(a: Matrix, b: Matrix) -> Matrix:
    return _transposed([_times_vector(a, column) for column in _transposed(b)])


def _adaptation(white: Sequence[float]) -> Matrix:
    cones, cones_d50 = _times_vector(_BRADFORD, white), _times_vector(_BRADFORD, D50)
    ratios = [to / of for to, of in zip(cones_d50, cones, strict=True)]
    scaled = _matrix([[ratio * value for value in row] for ratio, row in zip(ratios, _BRADFORD, strict=True)])
    return multiplied(_inverse(_BRADFORD), scaled)


def _xyz(point: XY) -> tuple[float, float, float]:
    x, y = point
    return x / y, 1.0, (1 - x - y) / y


def _times_vector(matrix: Matrix, vector: Sequence[float]) -> tuple[float, float, float]:
    a, b, c = (sum(m * v for m, v in zip(row, vector, strict=True)) for row in matrix)
    return a, b, c


def _transposed(rows: Sequence[Sequence[float]]) -> Matrix:
    return _matrix([list(column) for column in zip(*rows, strict=True)])


def _matrix(rows: Sequence[Sequence[float]]) -> Matrix:
    first, second, third = ((row[0], row[1], row[2]) for row in rows)
    return first, second, third


def _inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    adjugate = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return _matrix([[value / determinant for value in row] for row in adjugate])
