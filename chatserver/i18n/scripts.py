"""The room page's part of the catalogue, as one static script for each language."""

from __future__ import annotations

import json

from chatserver.i18n import LANGUAGES, catalogue

_PREFIX = "script."


def scripts() -> dict[str, bytes]:
    """Name below `static/` -> the script that gives `static/js/words/words.js` its sentences.

    A static file is fetched once and then cached for ever; the same bytes in each HTML page would be sent with
    each visit, and the policy forbids inline scripts. It is a classic script that the page loads with `defer`
    before its modules, so no module waits for a second module's answer to know the language.
    """
    return {f"js/words/{language}.js": _script(language) for language in LANGUAGES}


def _script(language: str) -> bytes:
    sentences = {
        key.removeprefix(_PREFIX): sentence for key, sentence in catalogue(language).items() if key.startswith(_PREFIX)
    }
    return f"globalThis.roomWords={json.dumps(sentences, ensure_ascii=False, separators=(',', ':'))};\n".encode()
