"""The token of a bot in the path of a request. Neither logs nor the address of a page may contain it."""

from __future__ import annotations

import re

# A program that appends the path to an address with a slash at its end sends two slashes.
_TOKEN = re.compile("(?<=/bots/)/*[^/]+")


def has_token(path: str) -> bool:
    return _TOKEN.search(path) is not None


def without_token(path: str) -> str:
    return _TOKEN.sub("…", path)
