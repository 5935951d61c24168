"""RFC 6455 as the load speaks it: handshakes and masked frames out, frames in for the samples that are parsed."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

# What every message of the load has once in its text, and nothing else anywhere: no event, no header.
# Long and of rare characters, because CPython's search skips up to its length: 12 million frames a
# second are counted so, and 2 million with eight ordinary characters.
MARK = b"^~`|^~`|^^~~``||~^`|~^||``^^~~|`"
ACK = b'{"type":"ack","client_id":"'
REFUSED = b'{"type":"refused"'

# A pong that nobody asked for is allowed (section 5.5.3) and tells the server that we live.
PONG = bytes((0x8A, 0x80, 0, 0, 0, 0))


def handshake(host: str, port: int, path: str, cookie: str) -> bytes:
    """A browser's request for a socket, as few bytes as the server asks for."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {host}:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Origin: http://{host}:{port}",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ]
    if cookie:
        lines.append(f"Cookie: {cookie}")
    return "\r\n".join([*lines, "", ""]).encode()


def masked(payload: bytes) -> bytes:
    """A text frame from a client. A key of zeros masks nothing, which spares the load the work."""
    size = len(payload)
    if size < 126:
        header = bytes((0x81, 0x80 | size))
    elif size < 65_536:
        header = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        header = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    return header + b"\0\0\0\0" + payload


def text(size: int) -> str:
    """`size` bytes of message, the mark once among them."""
    words = "lorem ipsum dolor sit amet consectetur adipiscing elit "
    return (MARK.decode() + words * (size // len(words) + 1))[:size].rstrip().ljust(size, ".")


def payloads(data: bytes) -> Iterator[bytes]:
    """The text messages in a whole number of unmasked frames (section 5.2)."""
    position = 0
    while position < len(data):
        opcode, size = data[position] & 0x0F, data[position + 1]
        position += 2
        if size == 126:
            size = struct.unpack_from("!H", data, position)[0]
            position += 2
        elif size == 127:
            size = struct.unpack_from("!Q", data, position)[0]
            position += 8
        if position + size > len(data):
            raise ValueError("the last frame is cut off")
        if opcode == 0x1:
            yield data[position : position + size]
        position += size


def messages(data: bytes) -> list[dict[str, Any]]:
    """The messages that one reader was told of, checked: no gap, no repetition, no disorder."""
    told = [json.loads(payload) for payload in payloads(data)]
    found = [event["message"] for event in told if event["type"] == "message"]
    for earlier, later in pairwise(found):
        if later["id"] != earlier["id"] + 1 or later["seq"] <= earlier["seq"]:
            raise AssertionError(f"message {later['id']} (seq {later['seq']}) came after {earlier['id']}")
    return found
