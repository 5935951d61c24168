"""RFC 6455 frames from server to client: unmasked, so one encoded frame fits every connection."""

from __future__ import annotations

import struct

_FINAL = 0x80
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA


def text(payload: bytes) -> bytes:
    """A whole text message in one frame; `payload` is UTF-8 (section 5.2)."""
    return _header(_TEXT, len(payload)) + payload


def ping(payload: bytes = b"") -> bytes:
    return _header(_PING, len(payload)) + payload


def pong(payload: bytes) -> bytes:
    """Echoes a ping's payload, at most 125 bytes (section 5.5.3)."""
    return _header(_PONG, len(payload)) + payload


def close(code: int) -> bytes:
    """A closing frame without a reason: clients act on the code (section 7.4)."""
    return _header(_CLOSE, 2) + struct.pack("!H", code)


def _header(opcode: int, length: int) -> bytes:
    if length < 126:
        return bytes((_FINAL | opcode, length))
    if length < 65_536:
        return struct.pack("!BBH", _FINAL | opcode, 126, length)
    return struct.pack("!BBQ", _FINAL | opcode, 127, length)
