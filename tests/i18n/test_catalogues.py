"""Both catalogues have the same keys, and every key is used."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chatserver import i18n
from chatserver.i18n import LANGUAGES, catalogue, explain, translator
from chatserver.i18n.scripts import scripts
from tests.declared import CODES

ROOT = Path(__file__).parents[2]
# t('page.login.title') names a key; t('room.key.' ~ what) and t(f"page.done_{what}") name a family of keys. A script
# omits the prefix "script.", and its families are t(`theme_${theme}`).
KEY = re.compile(r"""\bt\(\s*f?(['"`])([a-z0-9_.]+)(\1\s*[,)]|\1\s*~|\$?\{)""")
PLACEHOLDER = re.compile(r"\{(\w+)(?:\|[^|}]*\|[^|}]*)?\}")
# Where keys are named: folder, files, and the prefix of the keys there.
USERS = [("templates", "*.html", ""), ("chatserver", "*.py", ""), ("static/js", "*.js", "script.")]
# The values that a script passes: t("new_messages", { count: this.#unseen }).
VALUES = re.compile(r"""\bt\("(\w+)", \{ ([^{}]+) \}\)""")
# The sentences of refusals are named by their error code: explain() in chatserver/i18n.
BY_CODE = "refusal."
SEPARATOR = "script.comma"


def texts(folder: str, kind: str) -> list[str]:
    found = [file.read_text("utf-8") for file in sorted((ROOT / folder).rglob(kind))]
    assert found
    return found


def used(folder: str, kind: str, prefix: str) -> tuple[set[str], tuple[str, ...]]:
    """The keys that these files name, and the beginnings of the keys that they put together."""
    found = [match for text in texts(folder, kind) for match in KEY.finditer(text)]
    keys = {prefix + match[2] for match in found if match[3].endswith((",", ")"))}
    return keys, tuple({prefix + match[2] for match in found} - keys)


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
    assert [code.value for code in CODES if f"refusal.{code}" not in catalogue(language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_can_be_told_without_its_details(language: str) -> None:
    told = {code.value: explain(language, code, {"reason": "general"}) for code in CODES}
    assert {code for code, words in told.items() if "…" in words} == set()


def test_no_refusal_is_told_that_nobody_gives() -> None:
    told = {key.split(".")[1] for key in catalogue("zh") if key.startswith("refusal.")}
    assert told - {code.value for code in CODES} == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("folder", "kind", "prefix"), USERS)
def test_every_key_that_is_used_is_in_the_catalogue(language: str, folder: str, kind: str, prefix: str) -> None:
    keys, families = used(folder, kind, prefix)
    assert keys
    assert keys - catalogue(language).keys() == set()
    assert [family for family in families if not any(key.startswith(family) for key in catalogue(language))] == []


def test_every_key_of_the_catalogue_is_used() -> None:
    found = [used(*user) for user in USERS]
    keys = {key for named, _ in found for key in named}
    families = (BY_CODE, *(family for _, begun in found for family in begun))
    assert {key for key in catalogue("zh").keys() - keys if not key.startswith(families)} == set()


def test_a_script_gives_each_sentence_its_values() -> None:
    given = [match for text in texts("static/js", "*.js") for match in VALUES.finditer(text)]
    assert len(given) > 15
    for key, values in (match.groups() for match in given):
        names = {part.partition(":")[0].strip() for part in re.split(r",(?![^(]*\))", values)}
        assert names == set(PLACEHOLDER.findall(catalogue("zh")[f"script.{key}"])), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_gets_the_sentences_of_its_scripts_and_no_others(language: str) -> None:
    script = scripts()[f"js/words/{language}.js"].decode()
    sentences = json.loads(script.removeprefix("globalThis.roomWords=").removesuffix(";\n"))
    ours = {key: words for key, words in catalogue(language).items() if key.startswith("script.")}
    assert {f"script.{key}": words for key, words in sentences.items()} == ours


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_shouted_at(language: str) -> None:
    assert [words for words in catalogue(language).values() if re.search("[!！]", words)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_empty_or_has_stray_spaces(language: str) -> None:
    stray = {key for key, words in catalogue(language).items() if not words or words != words.strip()}
    assert stray <= {SEPARATOR}


def test_an_unknown_key_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        translator("zh")("page.no_such_word")


def test_a_value_with_braces_is_shown_as_it_is() -> None:
    assert translator("en")("page.logout.lead", name="{seconds}{0}{") == "You are logged in as {seconds}{0}{"


def test_a_value_may_have_any_name() -> None:
    assert translator("en")("page.logout.lead", name="Lily", key="unused", self="unused") == "You are logged in as Lily"


@pytest.mark.parametrize(("count", "words"), [
    (1, "1 message"), ("1", "1 message"), (0, "0 messages"), ("1,000", "1,000 messages"),
])  # fmt: skip
def test_a_word_follows_its_number(monkeypatch: pytest.MonkeyPatch, count: object, words: str) -> None:
    monkeypatch.setitem(i18n._CATALOGUES["en"], "test", "{count} {count|message|messages}")
    assert translator("en")("test", count=count) == words


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
    assert explain("zh", "login_throttled", {"retry_after_ms": 61_000}) == "尝试次数太多，请 2 分钟后再试"


def test_a_reason_chooses_the_more_exact_sentence() -> None:
    assert explain("en", "name_invalid", {"reason": "too_long", "limit": 20}) == (
        "Usernames can have at most 20 characters"
    )


def test_a_reason_without_words_of_its_own_is_told_in_general() -> None:
    assert explain("zh", "name_invalid", {"reason": "sounds odd"}) == translator("zh")("refusal.name_invalid")
