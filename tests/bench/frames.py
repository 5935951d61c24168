"""RFC 6455 for the load: sends handshakes and masked frames, and parses the received frames of the samples."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

# A mark that the text of every message of the load has once, and that no other data contains: no event, no header. It
# is long and has rare characters, because CPython's search skips up to the mark's length. So it counts 12 million
# frames a second; with eight ordinary characters it counts 2 million.
MARK = b"^~`|^~`|^^~~``||~^`|~^||``^^~~|`"
ACK = b'{"type":"ack","client_id":"'
REFUSED = b'{"type":"refused"'

# An unsolicited pong is allowed (section 5.5.3), and shows the server that the client is alive.
PONG = bytes((0x8A, 0x80, 0, 0, 0, 0))


def handshake(host: str, port: int, path: str, cookie: str) -> bytes:
    """A browser's request for a socket, with only the bytes that the server needs."""
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
    """A text frame from a client. The masking key is zero, so that masking costs the load nothing."""
    size = len(payload)
    if size < 126:
        header = bytes((0x81, 0x80 | size))
    elif size < 65_536:
        header = struct.pack("!BBH", 0x81, 0x80 | 126, size)
    else:
        header = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
    return header + b"\0\0\0\0" + payload


def text(size: int) -> str:
    """A message of `size` bytes that contains the mark once."""
    words = "lorem ipsum dolor sit amet consectetur adipiscing elit "
    return (MARK.decode() + words * (size // len(words) + 1))[:size].rstrip().ljust(size, ".")


def payloads(data: bytes) -> Iterator[bytes]:
    """The text messages in these unmasked frames (section 5.2), which must be complete."""
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
    """The messages that one reader got. Fails if one is missing, repeated or out of order."""
    told = [json.loads(payload) for payload in payloads(data)]
    found = [event["message"] for event in told if event["type"] == "message"]
    for earlier, later in pairwise(found):
        if later["id"] != earlier["id"] + 1 or later["seq"] <= earlier["seq"]:
            raise AssertionError(f"message {later['id']} (seq {later['seq']}) came after {earlier['id']}")
    return found
