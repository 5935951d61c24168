"""The CSRF token: a keyed hash of a random cookie. Another site can read neither."""

from __future__ import annotations

import hmac
import secrets

FIELD = "csrf_token"
HEADER = "X-CSRFToken"


class Tokens:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def of(self, visitor: str) -> str:
        """The token that belongs to this visitor cookie."""
        return hmac.digest(self._secret, b"csrf:" + visitor.encode(), "sha256").hex()[:40]

    def are_equal(self, visitor: str, given: str) -> bool:
        return hmac.compare_digest(self.of(visitor).encode(), given.encode("utf-8", "replace"))


def new_visitor() -> str:
    return secrets.token_urlsafe(18)
