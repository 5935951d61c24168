"""The opening handshake of a WebSocket (RFC 6455, section 4.2)."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache

from aiohttp import HttpVersion11, hdrs, web

from chatserver.core.errors import DomainError, ErrorCode
from chatserver.http.headers import REQUEST_ID_HEADER
from chatserver.http.request_id import REQUEST_ID

VERSION = "13"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
# 16 bytes in base64.
_KEY = re.compile(r"[A-Za-z0-9+/]{22}==")
_RESPONSE = (
    "HTTP/1.1 101 Switching Protocols\r\n"
    f"{hdrs.UPGRADE}: websocket\r\n"
    f"{hdrs.CONNECTION}: Upgrade\r\n"
    f"{hdrs.SEC_WEBSOCKET_ACCEPT}: %b\r\n"
    f"{REQUEST_ID_HEADER}: %b\r\n\r\n"
).encode()


def check(request: web.Request) -> None:
    """Raises DomainError `bad_request` if the request is not a valid handshake (section 4.2.1).

    For a handshake of another version the error has the detail `websocket_version`, so that the answer is 426 with the
    header Sec-WebSocket-Version (section 4.4).
    """
    headers = request.headers
    if (
        request.version < HttpVersion11
        or headers.get(hdrs.UPGRADE, "").lower() != "websocket"
        or "upgrade" not in _options(tuple(headers.getall(hdrs.CONNECTION, ())))
        or request.body_exists
    ):
        raise DomainError(ErrorCode.BAD_REQUEST)
    if headers.get(hdrs.SEC_WEBSOCKET_VERSION) != VERSION:
        raise DomainError(ErrorCode.BAD_REQUEST, reason="websocket_version", websocket_version=VERSION)
    if not _KEY.fullmatch(headers.get(hdrs.SEC_WEBSOCKET_KEY, "")):
        raise DomainError(ErrorCode.BAD_REQUEST)


@lru_cache(16)  # browsers send few different values
def _options(lines: tuple[str, ...]) -> frozenset[str]:
    """The connection options of these headers, in lower case (RFC 9110, section 7.6.1)."""
    return frozenset(option.strip() for option in ",".join(lines).lower().split(","))


def answer(request: web.Request) -> bytes:
    """The 101 response to a checked handshake. It never selects a subprotocol or an extension (section 4.2.2)."""
    key = request.headers[hdrs.SEC_WEBSOCKET_KEY].encode()
    # The protocol requires SHA-1, which does not protect anything here (section 10.8).
    accept = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest())
    return _RESPONSE % (accept, request[REQUEST_ID].encode())
