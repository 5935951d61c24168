"""Recognises unsupported formats, so that the error message names the format and says what to do.

The names select the variants of the sentence `refusal.image_unsupported` in the catalogues.
"""

from __future__ import annotations

import re
from enum import StrEnum

from chatserver.media.headers import brands


class Unsupported(StrEnum):
    HEIC = "heic"
    JPEG_XL = "jpeg_xl"
    JPEG_2000 = "jpeg_2000"
    RAW = "raw"
    PSD = "psd"
    SVG = "svg"
    PDF = "pdf"
    VIDEO = "video"


_STARTS = {
    b"\xff\x0a": Unsupported.JPEG_XL,  # ISO/IEC 18181-2, a codestream; then the container
    b"\0\0\0\x0cJXL \r\n\x87\n": Unsupported.JPEG_XL,
    b"\0\0\0\x0cjP  \r\n\x87\n": Unsupported.JPEG_2000,  # ISO/IEC 15444-1, annex I; then a codestream
    b"\xff\x4f\xff\x51": Unsupported.JPEG_2000,
    b"FUJIFILMCCD-RAW": Unsupported.RAW,
    b"IIRO": Unsupported.RAW,  # Olympus
    b"IIU\0": Unsupported.RAW,  # Panasonic
    b"8BPS": Unsupported.PSD,
    b"%PDF-": Unsupported.PDF,
    b"\x1a\x45\xdf\xa3": Unsupported.VIDEO,  # Matroska and WebM
}
_HEIF_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"))
# An XML declaration, comments and a document type may come first.
_SVG = re.compile(rb"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg[\s>]", re.DOTALL)
# The search for an SVG in a text file stops after this number of bytes.
SEARCHED_BYTES = 2048


def name_of(data: bytes) -> Unsupported | None:
    """The format of a file that is not accepted; None if there is no error message for that format."""
    for start, name in _STARTS.items():
        if data.startswith(start):
            return name
    if data[8:10] == b"CR" and data.startswith((b"II*\0", b"MM\0*")):
        return Unsupported.RAW  # Canon; the rest of the file is a TIFF
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return Unsupported.VIDEO
    if data[4:8] == b"ftyp":
        return _of_iso_media(brands(data[:64]))
    return Unsupported.SVG if _SVG.match(data[:SEARCHED_BYTES].removeprefix(b"\xef\xbb\xbf")) else None


def _of_iso_media(found: set[bytes]) -> Unsupported:
    if b"crx " in found:
        return Unsupported.RAW
    return Unsupported.HEIC if found & _HEIF_BRANDS else Unsupported.VIDEO
