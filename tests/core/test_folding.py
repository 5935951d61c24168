"""Texts that look the same compare equal, in a time that is linear in the length."""

from __future__ import annotations

import unicodedata

import pytest

from chatserver.core.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Café", "cafe\u0301"),
        ("ＣＡＦÉ", "café"),
        ("İzmir", "i\u0307zmir"),
        ("Straße", "STRASSE"),
        ("ﬁn", "FIN"),
        ("㍿", "株式会社"),
        ("ｶﾞ", "ガ"),
        ("①", "1"),
        ("ΟΔΟΣ", "οδος"),
        ("\u1100\u1161\u11a8", "각"),
    ],
)
def test_these_read_the_same(one: str, other: str) -> None:
    for before in ("", "x" * 63, "é" * 64, "草" * 200):  # also at the end of a piece
        assert fold(before + one) == fold(before + other)


@pytest.mark.parametrize(("one", "other"), [("José", "Jose"), ("草莓", "草苺"), ("a", "ａa"), ("ı", "i")])
def test_these_do_not(one: str, other: str) -> None:
    assert fold(one) != fold(other)


def test_folding_in_pieces_is_folding_the_whole() -> None:
    text = "Crème Brûlée İ ß ﬁ 각 ガ नमस्ते ที่ " * 40
    for form in ("NFC", "NFD"):
        typed = unicodedata.normalize(form, text)
        whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold())
        assert fold(typed) == whole


def test_no_piece_that_is_normalised_grows_with_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalising takes a time that grows with the square of a run of accents: 9 s for 124 KB."""
    longest, real = 0, unicodedata.normalize

    def watched(form: str, text: str) -> str:
        nonlocal longest
        longest = max(longest, len(text))
        return real(form, text)

    monkeypatch.setattr("chatserver.core.folding.unicodedata.normalize", watched)
    fold("e" + "\u0301\u0316" * 5_000)
    assert longest <= 400
