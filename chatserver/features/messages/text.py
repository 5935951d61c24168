"""Check and clean the text that members type, and check `client_id`, the client's own name for a message."""

from __future__ import annotations

import hashlib
import re

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.core.json import is_encodable

CLIENT_ID_MAX = 64

# All characters that Unicode calls a control, except the tab and the line feed.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# White space, the property Default_Ignorable_Code_Point (Unicode, 5.21), and the empty pattern of Braille.
_UNSEEN = re.compile(
    "[\\s\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]*"
)


def clean(text: str) -> str:
    """`text` with line feeds only, no control characters, no outer white space; "" if nothing of it is visible."""
    # A carriage return is a control character too.
    if _CONTROLS.search(text):
        text = _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _shown(text.strip())


def _shown(text: str) -> str:
    return "" if _UNSEEN.fullmatch(text) else text


def cleaned(text: str) -> str | None:
    """`clean(text)`, or None for a text that cannot be stored."""
    # A printable text has none of the characters that are refused or removed, and this check is faster.
    if text.isprintable():
        return _shown(text.strip())
    return clean(text) if is_storable(text) else None


def checked(text: str, limit: int, *, may_be_empty: bool = False) -> str:
    """The text as it will be stored. Raises DomainError: `bad_request`, `empty`, `too_long` (over `limit`)."""
    stored = cleaned(text)
    if stored is None:
        raise DomainError(ErrorCode.BAD_REQUEST, field="text")
    if not stored and not may_be_empty:
        raise DomainError(ErrorCode.EMPTY)
    if len(stored) > limit:
        raise DomainError(ErrorCode.TOO_LONG, limit=limit, length=len(stored))
    return stored


def is_storable(text: str) -> bool:
    """False if `text` contains a lone surrogate, which UTF-8 cannot encode, or NUL, at which some programs stop."""
    return "\0" not in text and (text.isascii() or is_encodable(text))


def check_client_id(client_id: str) -> None:
    """Raises DomainError `bad_request` if `client_id` is too long or cannot be stored."""
    if len(client_id) > CLIENT_ID_MAX or not (client_id.isprintable() or is_storable(client_id)):
        raise DomainError(ErrorCode.BAD_REQUEST, field="client_id")


def client_key(client_id: str) -> bytes | None:
    """A hash of `client_id`, so that a recalled message keeps nothing that its sender wrote. None for ""."""
    return hashlib.sha256(client_id.encode()).digest()[:16] if client_id else None
