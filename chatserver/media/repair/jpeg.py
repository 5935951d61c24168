"""Repairs a truncated JPEG (ITU-T T.81, annex B) with an end marker: libjpeg fills the rest with a plain colour."""

from __future__ import annotations

import re
from io import BytesIO

from PIL import Image, ImageChops

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.media.repair.damage import Repaired, accepting_truncated, check_missing

_END_OF_IMAGE = b"\xff\xd9"
# In entropy-coded data, 0xFF is followed by 0; restart markers (D0 to D7) belong to it.
_NEXT_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")
_STANDALONE = frozenset((0x00, 0x01, *range(0xD0, 0xD9)))
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_NOISE_BYTES = 16 * 1024
# The largest share of the bytes that may be missing in scans that only refine the picture by one bit.
LOST_MAX = 0.1
# A loss of at most this many bytes is always accepted, because a small picture's file can be mostly headers.
LOST_BYTES = 256
# The height in pixels of the blocks that are coded together. The rows of an incomplete block count as decoded.
_BLOCK_ROWS = 16


class _Scan:
    """A scan that codes the coefficients `first` to `last`, except their lowest `low` bits, which later scans add."""

    def __init__(self, components: tuple[int, ...], first: int, last: int, low: int) -> None:
        self.components = components
        self.first = first
        self.last = last
        self.low = low
        self.size = 0


class _Structure:
    """The scans of a file. If the file is truncated, `end` is the offset after its last complete segment."""

    def __init__(self) -> None:
        self.components: tuple[int, ...] = ()
        self.scans: list[_Scan] = []
        self.is_whole = False
        self.end = 0


def repaired(data: bytes) -> Repaired:
    """Add an end marker. Raises DomainError: `image_unreadable` if the file ends before the picture begins."""
    structure = _structure(data)
    if structure.is_whole:
        return Repaired(data)
    if not structure.scans:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)
    # Remove 0xFF at the end: together with the next byte it would be read as a marker.
    return _CutJpeg(data[: structure.end].rstrip(b"\xff"), structure)


class _CutJpeg(Repaired):
    def __init__(self, data: bytes, structure: _Structure) -> None:
        super().__init__(data + _END_OF_IMAGE)
        self._cut = data
        self._structure = structure

    def load(self, image: Image.Image) -> Image.Image:
        image.load()
        check_missing(self._missing(image))
        return image

    def _missing(self, image: Image.Image) -> float:
        """The share of rows that the last scan lacks; 0 if that scan is not needed.

        The missing rows begin where noise appended to the data changes the image.
        """
        structure = self._structure
        if _lost_share(structure, structure.scans[:-1], len(self._cut)) <= LOST_MAX:
            return 0.0
        if _lost_share(structure, structure.scans, len(self._cut)) > LOST_MAX:
            return 1.0
        box = _difference(image, self._cut + _noise() + _END_OF_IMAGE)
        return (image.height - box[1] - self._block_rows(image)) / image.height if box else 0.0

    def _block_rows(self, image: Image.Image) -> int:
        """The height of a block at the scale of `image`, which libjpeg may have decoded at 1/2, 1/4 or 1/8."""
        with Image.open(BytesIO(self.data), formats=["JPEG"]) as whole:
            return max(1, _BLOCK_ROWS * image.height // whole.height)


def _noise() -> bytes:
    """Random entropy-coded data, which is decoded to other colours than the plain colour after an end marker.

    The values are 1 to 254 from a linear congruential generator (Numerical Recipes, section 7.1); `random` is slow to
    import.
    """
    values, state = bytearray(), 1
    for _ in range(_NOISE_BYTES):
        state = (1_664_525 * state + 1_013_904_223) % 2**32
        values.append(1 + (state >> 24) % 254)
    return bytes(values)


def _structure(data: bytes) -> _Structure:
    found = _Structure()
    at = 2
    while True:
        at = data.find(b"\xff", at)
        while at >= 0 and data[at + 1 : at + 2] == b"\xff":
            at += 1
        if at < 0 or at + 4 > len(data):
            found.is_whole = at >= 0 and data[at : at + 2] == _END_OF_IMAGE
            found.end = len(data) if at < 0 else at
            return found
        marker = data[at + 1]
        if marker in _STANDALONE:
            at += 2
            continue
        if marker == 0xD9:
            found.is_whole = True
            return found
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data):
            found.end = at
            return found
        segment = data[at + 4 : end]
        if marker in _FRAME_HEADERS and len(segment) >= 6:
            found.components = tuple(segment[6::3][: segment[5]])
        elif marker == 0xDA and segment:
            scan = _scan(segment)
            found.scans.append(scan)
            after = _NEXT_MARKER.search(data, end)
            scan.size = (after.start() if after else len(data)) - end
            if after is None:
                found.end = len(data)
                return found
            end = after.start()
        at = end


def _scan(segment: bytes) -> _Scan:
    """Parse a scan header. Raises IndexError if the header is too short."""
    count = segment[0]
    first, last, precision = segment[1 + 2 * count : 4 + 2 * count]
    return _Scan(tuple(segment[1 : 1 + 2 * count : 2]), first, last, precision & 15)


def _lost_share(structure: _Structure, scans: list[_Scan], size: int) -> float:
    """Estimate the share of a file that is lost if it has only these `scans`; 1.0 if most of the file is lost.

    The last bit of a component's coefficients takes about as many bytes as all bits before it.
    """
    bits = {(component, index): 16 for component in structure.components for index in range(64)}
    for scan in scans:
        for component in scan.components:
            for index in range(scan.first, min(scan.last, 63) + 1):
                bits[component, index] = scan.low
    if not bits or max(bits.values()) > 1:
        return 1.0
    unrefined = {component for (component, _), low in bits.items() if low}
    lost = sum(scan.size for scan in scans if unrefined & {*scan.components})
    return lost / (size + lost) if lost > LOST_BYTES else 0.0


def _difference(image: Image.Image, other: bytes) -> tuple[int, int, int, int] | None:
    """The box in which `image` and the decoded `other` differ, at the scale of `image`."""
    with Image.open(BytesIO(other), formats=["JPEG"]) as second:
        if second.size != image.size:
            # Request one pixel less: half of an odd height is rounded up, and libjpeg would not use a scale of 1/2 for
            # a request of more than half.
            second.draft(None, (image.width - 1, image.height - 1))
        # libjpeg may reject the noise if it codes a coefficient that does not exist; the rows decoded until then count.
        with accepting_truncated():
            second.load()
        return ImageChops.difference(image, second).getbbox()
