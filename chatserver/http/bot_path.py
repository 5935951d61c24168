"""The token of a bot in the path of a request. Neither logs nor the address of a page may contain it."""

from __future__ import annotations

import re

# Also after an extra slash, which occurs if the path was appended to an address that ends with a slash.
_TOKEN = re.compile("(?<=/bots/)/*[^/]+")


def has_token(path: str) -> bool:
    return _TOKEN.search(path) is not None


def without_token(path: str) -> str:
    return _TOKEN.sub("…", path)
