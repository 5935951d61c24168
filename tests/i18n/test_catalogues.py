"""Both languages say the same things, and say all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chatserver.i18n import LANGUAGES, catalogue, explain, translator
from chatserver.refusals import Code

ROOT = Path(__file__).parents[2]
# t('page.login.title') names a key; t('room.key.' ~ what) and t(f"page.done_{what}") name a family.
KEY = re.compile(r"""\bt\(\s*f?(['"])([a-z0-9_.]+)(\1\s*[,)]|\1\s*~|\{)""")
PLACEHOLDER = re.compile(r"\{(\w+)\}")


def used(folder: str, kind: str) -> tuple[set[str], tuple[str, ...]]:
    """The keys that these files name, and the beginnings of those that they put together."""
    files = sorted((ROOT / folder).rglob(kind))
    assert files
    found = [match for file in files for match in KEY.finditer(file.read_text("utf-8"))]
    keys = {match[2] for match in found if match[3].endswith((",", ")"))}
    return keys, tuple({match[2] for match in found} - keys)


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("zh").keys() == catalogue("en").keys()


def test_a_sentence_has_the_same_places_for_values_in_both_languages() -> None:
    different = {
        key: (words, catalogue("en")[key])
        for key, words in catalogue("zh").items()
        if set(PLACEHOLDER.findall(words)) != set(PLACEHOLDER.findall(catalogue("en")[key]))
    }
    assert different == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_can_be_told(language: str) -> None:
    assert [code.value for code in Code if f"refusal.{code}" not in catalogue(language)] == []


def test_no_refusal_is_told_that_nobody_gives() -> None:
    told = {key.split(".")[1] for key in catalogue("zh") if key.startswith("refusal.")}
    assert told - {code.value for code in Code} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("folder", "kind"), [("templates", "*.html"), ("chatserver/web", "*.py")])
def test_every_word_of_every_page_is_in_the_catalogue(language: str, folder: str, kind: str) -> None:
    keys, families = used(folder, kind)
    assert keys - catalogue(language).keys() == set()
    assert [family for family in families if not any(key.startswith(family) for key in catalogue(language))] == []


def test_no_page_has_a_word_left_over() -> None:
    in_templates, in_code = used("templates", "*.html"), used("chatserver/web", "*.py")
    keys, families = in_templates[0] | in_code[0], in_templates[1] + in_code[1]
    ours = {key for key in catalogue("zh") if key.startswith(("page.", "room."))}
    assert {key for key in ours - keys if not key.startswith(families)} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_shouted_at(language: str) -> None:
    assert [words for words in catalogue(language).values() if re.search("[!！]", words)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_has_stray_spaces(language: str) -> None:
    assert [key for key, words in catalogue(language).items() if not words or words != words.strip()] == []


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        translator("zh")("page.no_such_word")


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    assert translator("en")("page.logout.lead", name="{seconds}{0}{") == "You are {seconds}{0}{."


def test_a_value_may_have_any_name() -> None:
    assert translator("en")("page.logout.lead", name="Lily", key="unused", self="unused") == "You are Lily."


def test_a_missing_detail_leaves_a_sentence() -> None:
    assert explain("zh", "too_fast", {}) == "还要等 … 秒"


@pytest.mark.parametrize(
    ("wait_ms", "words"),
    [
        (1, "Wait 0.1 s"),
        (1400, "Wait 1.4 s"),
        (1999, "Wait 2 s"),
        (10_001, "Wait 11 s"),
        (3_599_000, "Wait 60 min"),
    ],
)
def test_a_wait_is_told_so_that_trying_then_is_not_too_early(wait_ms: int, words: str) -> None:
    assert explain("en", "too_fast", {"retry_after_ms": wait_ms}) == words


def test_a_throttled_login_is_told_in_minutes() -> None:
    assert explain("zh", "login_throttled", {"retry_after_ms": 61_000}) == "试得太多了，请 2 分钟后再来"


def test_a_reason_chooses_the_more_exact_sentence() -> None:
    assert explain("en", "name_invalid", {"reason": "too_long", "limit": 20}) == (
        "This name is too long: 20 characters at most"
    )


def test_a_reason_without_words_of_its_own_is_told_in_general() -> None:
    assert explain("zh", "name_invalid", {"reason": "sounds odd"}) == translator("zh")("refusal.name_invalid")
