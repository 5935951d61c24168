"""The translations of the page's scripts, as one generated static script for each language."""

from __future__ import annotations

import json

from chatserver.i18n import LANGUAGES, catalogue

_PREFIX = "script."


def scripts() -> dict[str, bytes]:
    """File name relative to `static/` -> the script from which `static/js/words/words.js` reads the sentences.

    Browsers cache a static file; inside the HTML page the sentences would be sent with each visit, and the
    Content-Security-Policy forbids inline scripts. The page loads this classic script with `defer` before its
    modules, so that no module waits for a second request.
    """
    return {f"js/words/{language}.js": _script(language) for language in LANGUAGES}


def _script(language: str) -> bytes:
    sentences = {
        key.removeprefix(_PREFIX): sentence for key, sentence in catalogue(language).items() if key.startswith(_PREFIX)
    }
    return f"globalThis.roomWords={json.dumps(sentences, ensure_ascii=False, separators=(',', ':'))};\n".encode()
