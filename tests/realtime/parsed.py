"""The results of the frame parser for given bytes, and frames as a client sends them."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from chatserver.realtime.frames import FrameParser
from chatserver.realtime.masking import unmask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
KEY = b"\x37\xfa\x21\x3d"


class Parsed(FrameParser):
    """Records the results as (kind, value)."""

    def __init__(self) -> None:
        super().__init__(unmask)
        self.found: list[tuple[str, object]] = []
        self.fragments = 0

    def text_received(self, text: str) -> None:
        self.found.append(("text", text))

    def binary_received(self, payload: bytearray) -> None:
        self.found.append(("binary", bytes(payload)))

    def fragment_received(self) -> None:
        self.fragments += 1

    def ping_received(self, payload: bytes) -> None:
        self.found.append(("ping", payload))

    def pong_received(self) -> None:
        self.found.append(("pong", None))

    def close_received(self, code: int | None) -> None:
        self.found.append(("close", code))

    def failed(self, code: int) -> None:
        self.found.append(("failed", code))


def parse(*pieces: bytes) -> list[tuple[str, object]]:
    """The results for these pieces of a stream. The buffer is used again after each call, as a transport does."""
    parser = Parsed()
    for piece in pieces:
        feed(parser, piece)
    return parser.found


def feed(parser: FrameParser, piece: bytes) -> None:
    received = bytearray(piece + b"rest of an earlier read")
    parser.feed(received, len(piece))
    received[:] = b"\xff" * len(received)


def frame(opcode: int, payload: bytes = b"", final: bool = True, reserved: int = 0, key: bytes = KEY) -> bytes:
    """A masked frame; `reserved` are the bits RSV1 to RSV3 (0x40, 0x20, 0x10)."""
    return header(opcode, len(payload), final, reserved, key) + masked(payload, key)


def header(opcode: int, size: int, final: bool = True, reserved: int = 0, key: bytes = KEY) -> bytes:
    first = (0x80 if final else 0) | reserved | opcode
    if size < 126:
        return struct.pack("!BB", first, 0x80 | size) + key
    if size < 65_536:
        return struct.pack("!BBH", first, 0x80 | 126, size) + key
    return struct.pack("!BBQ", first, 0x80 | 127, size) + key


def masked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(size, "big")


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason)


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    """Split the stream into pieces at these places."""
    ends = sorted({place for place in places if 0 < place < len(stream)})
    return [stream[start:end] for start, end in zip([0, *ends], [*ends, len(stream)], strict=True)]
