"""The masking of a client's payload (RFC 6455, section 5.3), without a C extension."""

from __future__ import annotations

from collections.abc import Callable

# `unmask(key, payload)`: `key` has 4 bytes, `payload` is changed in place.
Unmask = Callable[[bytes, bytearray], None]


def unmask(key: bytes, payload: bytearray) -> None:
    """XOR over whole integers takes 1.1 µs for 200 bytes; byte by byte it takes 8 µs."""
    size = len(payload)
    keys = (key * (size // 4 + 1))[:size]
    payload[:] = (int.from_bytes(payload, "little") ^ int.from_bytes(keys, "little")).to_bytes(size, "little")
