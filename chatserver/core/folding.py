"""Text for comparing: what reads the same is equal, in any case and however its accents were typed."""

from __future__ import annotations

import re
import unicodedata

# Normalising takes time with the square of a run of accents (2,000 characters: 9 ms), so it works on short pieces.
_PIECE = 64
# A piece goes on to a character that stands alone, but no further: 30 accents on one letter are no text (UAX 15, 13).
_PIECE_MAX = _PIECE + 32
# Letters that join with the one before: parts of Hangul syllables, and voicing marks of half-width Katakana.
_JOINING = re.compile("[\u1100-\u11ff\uff9e\uff9f]")


def fold(text: str) -> str:
    """NFKC of the case-folded NFKC (Unicode, 3.13, "caseless matching"). Takes time linear in its length."""
    if text.isascii():
        return text.casefold()
    pieces, begin = [], 0
    while begin < len(text):
        end = _end_of_piece(text, begin)
        pieces.append(_fold(text[begin:end]))
        begin = end
    return "".join(pieces)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _end_of_piece(text: str, begin: int) -> int:
    """Where nothing after it joins with what is before it, if there is such a place."""
    last = min(begin + _PIECE_MAX, len(text))
    for end in range(begin + _PIECE, last):
        if not unicodedata.category(text[end]).startswith("M") and not _JOINING.match(text[end]):
            return end
    return last
