"""Translations: one flat catalogue for each language, and the choice of the language."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")

# A browser's Accept-Language has less than 100 characters. The limits bound the time for longer headers.
HEADER_CHARS_MAX = 1000
RANGES_MAX = 30

# Waits above this are shown in minutes.
_MINUTES_FROM_MS = 120_000

_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\|([^|}]*)\|([^|}]*))?\}")
_RANGE = re.compile(r"([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]{1,40})?")
_QUALITY = re.compile(r"[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


def catalogue(language: str) -> Mapping[str, str]:
    """The catalogue of one of LANGUAGES: key -> sentence.

    `{name}` in a sentence is replaced by the value of that name; `{name|one|many}` by the first word if
    the value is 1, else by the second.
    """
    return _CATALOGUES[language]


def translator(language: str) -> Callable[..., str]:
    """A function `t(key, **values)` for one of LANGUAGES. It raises KeyError for an unknown key.

    Inserted values are not expanded again, so a member may be called `{seconds}`. A missing value is
    shown as "…", because an incomplete sentence is better for the reader than an error.
    """
    sentences = catalogue(language)

    def t(key: str, /, **values: Any) -> str:
        def expand(found: re.Match[str]) -> str:
            name, one, many = found.groups()
            value = str(values.get(name, "…"))
            if one is None:
                return value
            return str(one if value == "1" else many)

        return _PLACEHOLDER.sub(expand, sentences[key])

    return t


def explain(language: str, code: str, details: Mapping[str, Any]) -> str:
    """The translated message of a DomainError: the sentence `refusal.CODE` with `details` inserted.

    A detail `reason` selects a more specific sentence if there is one (`refusal.name_invalid.too_long`).
    `retry_after_ms` also gives the values `{seconds}`, `{minutes}` and `{hours}`, rounded up;
    `late_ms` of at most 2 minutes selects the sentence `late` and gives `{late}` in seconds.
    """
    variant, values = str(details.get("reason", "")), dict(details)
    wait_ms = details.get("retry_after_ms")
    if isinstance(wait_ms, int):
        tenths = math.ceil(wait_ms / 100)
        values["seconds"] = f"{tenths / 10:g}" if tenths < 100 else math.ceil(wait_ms / 1000)
        values["minutes"] = math.ceil(wait_ms / 60_000)
        values["hours"] = math.ceil(wait_ms / 3_600_000)
        if wait_ms > _MINUTES_FROM_MS:
            variant = variant or "minutes"
    late_ms = details.get("late_ms")
    if isinstance(late_ms, int) and late_ms <= _MINUTES_FROM_MS:
        variant, values["late"] = "late", f"{late_ms / 1000:.1f}"
    key = f"refusal.{code}"
    specific = f"{key}.{variant}"
    return translator(language)(specific if specific in catalogue(language) else key, **values)


def choose(accept_language: str, fallback: str) -> str:
    """The supported language with the highest weight in Accept-Language (RFC 9110, section 12.5.4), else `fallback`.

    Only the primary subtag is compared: zh-Hant-TW is zh. `*` means `fallback`. The first of equal weights
    wins. Invalid parts are ignored.
    """
    best, best_quality = fallback, 0.0
    for part in accept_language[:HEADER_CHARS_MAX].split(",")[:RANGES_MAX]:
        tag, _, parameter = part.partition(";")
        language, quality = _RANGE.fullmatch(tag.strip()), _QUALITY.fullmatch(parameter.strip() or "q=1")
        if language is None or quality is None:
            continue
        name = fallback if language[1] == "*" else language[1].lower()
        if name in LANGUAGES and float(quality[1]) > best_quality:
            best, best_quality = name, float(quality[1])
    return best


def _load(language: str) -> dict[str, str]:
    sentences: dict[str, str] = json.loads(Path(__file__).with_name(f"{language}.json").read_text("utf-8"))
    return sentences


_CATALOGUES = {language: _load(language) for language in LANGUAGES}
