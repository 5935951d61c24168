"""CSRF tokens: an HMAC of the visitor's random cookie. Another site can read neither the cookie nor the token."""

from __future__ import annotations

import hmac
import secrets

FIELD = "csrf_token"
HEADER = "X-CSRFToken"


class CSRFTokens:
    """Creates and checks tokens with the server's `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def for_visitor(self, visitor: str) -> str:
        """The token for a visitor cookie: 40 hexadecimal digits."""
        return hmac.digest(self._secret, b"csrf:" + visitor.encode(), "sha256").hex()[:40]

    def is_valid(self, visitor: str, token: str) -> bool:
        """Compare the tokens in a time that does not depend on their content."""
        return hmac.compare_digest(self.for_visitor(visitor).encode(), token.encode("utf-8", "replace"))


def new_visitor() -> str:
    """A value for the visitor cookie: 144 random bits."""
    return secrets.token_urlsafe(18)
