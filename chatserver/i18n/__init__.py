"""The one catalogue of sentences and labels: a flat JSON file for each language, and the choice of a language."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")

# Browsers send a few dozen characters; longer headers are cut, so that parsing stays cheap.
HEADER_MOST = 1000
RANGES_MOST = 30

_MINUTES_FROM_MS = 120_000

_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\|([^|}]*)\|([^|}]*))?\}")
_RANGE = re.compile(r"([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,40})?")
_QUALITY = re.compile(r"[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def catalogue(language: str) -> Mapping[str, str]:
    """Every sentence of one of LANGUAGES: key -> sentence.

    `{name}` is replaced by the value of that name, `{name|one|many}` by the first word when the value
    is 1 and by the second otherwise.
    """
    return _CATALOGUES[language]


def translator(language: str) -> Callable[..., str]:
    """`t(key, **values)` for one of LANGUAGES; an unknown key is a KeyError.

    Values are inserted once and not searched for placeholders, so a member called `{seconds}` is shown as such.
    A missing value becomes "…", so that a reader still gets a sentence.
    """
    words = catalogue(language)

    def t(key: str, /, **values: Any) -> str:
        def filled(found: re.Match[str]) -> str:
            name, one, many = found.groups()
            value = str(values.get(name, "…"))
            if one is None:
                return value
            return str(one if value == "1" else many)

        return _PLACEHOLDER.sub(filled, words[key])

    return t


def explain(language: str, code: str, details: Mapping[str, Any]) -> str:
    """The sentence for an error code in the reader's language.

    A detail `reason` chooses a more exact sentence where there is one (`refusal.name_invalid.too_long`), and
    `general` the one for an error whose details are not known;
    `retry_after_ms` is given as `{seconds}` or `{minutes}`, rounded up so that trying then is not too early.
    """
    variant, values = str(details.get("reason", "")), dict(details)
    wait_ms = details.get("retry_after_ms")
    if isinstance(wait_ms, int):
        tenths = math.ceil(wait_ms / 100)
        values["seconds"] = f"{tenths / 10:g}" if tenths < 100 else math.ceil(wait_ms / 1000)
        values["minutes"] = math.ceil(wait_ms / 60_000)
        if wait_ms > _MINUTES_FROM_MS:
            variant = variant or "minutes"
    key = f"refusal.{code}"
    exact = f"{key}.{variant}"
    return translator(language)(exact if exact in catalogue(language) else key, **values)


def choose(accept_language: str, fallback: str) -> str:
    """The language with the highest quality in Accept-Language (RFC 9110, section 12.5.4), else `fallback`.

    Only the primary subtag counts: zh-Hant-TW is zh. `*` stands for `fallback`. Of equals the first
    wins. Parts that are not a language range with a quality are ignored.
    """
    best, best_quality = fallback, 0.0
    for part in accept_language[:HEADER_MOST].split(",")[:RANGES_MOST]:
        tag, _, parameter = part.partition(";")
        language, quality = _RANGE.fullmatch(tag.strip()), _QUALITY.fullmatch(parameter.strip() or "q=1")
        if language is None or quality is None:
            continue
        name = fallback if language[1] == "*" else language[1].lower()
        if name in LANGUAGES and float(quality[1]) > best_quality:
            best, best_quality = name, float(quality[1])
    return best


def _load(language: str) -> dict[str, str]:
    words: dict[str, str] = json.loads(Path(__file__).with_name(f"{language}.json").read_text("utf-8"))
    return words


_CATALOGUES = {language: _load(language) for language in LANGUAGES}
