"""A bot may have its token in the path of a request, which neither logs nor a page's address may repeat."""

from __future__ import annotations

import re

# Also after a slash too many, where an address that ends with one was put before the path.
_TOKEN = re.compile("(?<=/bots/)/*[^/]+")


def has_token(path: str) -> bool:
    return _TOKEN.search(path) is not None


def without_token(path: str) -> str:
    return _TOKEN.sub("…", path)
