"""Folds text for comparison: texts that look the same become equal, with any case and any encoding of accents."""

from __future__ import annotations

import re
import unicodedata

# Normalising takes a time that grows with the square of the number of accents in a row (2,000 characters: 9 ms), so
# text is normalised in short pieces.
_PIECE = 64
# The maximum length of a piece. A piece usually ends before a character that does not combine with the character before
# it. A piece is cut at the maximum, for example after 30 accents on one letter, which is not real text (UAX 15, 13).
_PIECE_MAX = _PIECE + 32
# Letters that combine with the letter before them: parts of Hangul syllables, and voicing marks of half-width Katakana.
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
    """The position of a cut that does not separate combining characters; _PIECE_MAX if there is no such position."""
    last = min(begin + _PIECE_MAX, len(text))
    for end in range(begin + _PIECE, last):
        if not unicodedata.category(text[end]).startswith("M") and not _JOINING.match(text[end]):
            return end
    return last
