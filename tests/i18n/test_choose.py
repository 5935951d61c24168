"""The choice of the language from the Accept-Language headers of browsers and other clients."""

from __future__ import annotations

import pytest

from chatserver.i18n import choose


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en-US;q=0.9,en;q=0.8,zh-CN;q=0.7", "en"),
        ("zh-Hant-TW", "zh"),
        ("EN", "en"),
        ("en;q=0.2, zh;q=0.3", "zh"),
        ("en;Q=0.5,zh ; q=0.4", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.1", "en"),
        ("en;q=0,zh;q=0.001", "zh"),
        ("en,zh", "en"),
        ("zh,en", "zh"),
    ],
)
def test_the_best_liked_language_that_we_speak_is_chosen(accept_language: str, language: str) -> None:
    other = "zh" if language == "en" else "en"
    assert choose(accept_language, other) == language


@pytest.mark.parametrize("accept_language", ["", "fr", "*", "zhx", "en;q=0", "fr, *;q=0.5, en;q=0.1"])
def test_a_browser_that_likes_neither_gets_the_fallback(accept_language: str) -> None:
    assert choose(accept_language, "zh") == "zh"


@pytest.mark.parametrize(
    "nonsense",
    [",;,;q=", "en;q=2", "en;q=nan", "en;q=1e9", "en;q=-1", "en;level=1", "\0", "é", "en q=1", "e" * 100_000],
)
def test_nonsense_is_passed_over(nonsense: str) -> None:
    assert choose(nonsense, "zh") == "zh"


def test_what_stands_beside_nonsense_still_counts() -> None:
    assert choose("\0;;, en;q=huge, en-US;q=0.4", "zh") == "en"


def test_a_header_without_end_is_read_only_at_its_start() -> None:
    assert choose("fr;q=0.1," * 1_000_000 + "en", "zh") == "zh"
