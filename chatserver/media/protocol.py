"""What the server and an image worker say to each other, over a pair of pipes.

A frame is a length (4 bytes, big-endian) and that many bytes. A job is one frame of JSON; an answer
is one frame of JSON, followed by as many frames of picture bytes as it says. No pickle: the worker
has read a stranger's file, so nothing that it says may be able to run code here.
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatserver.core.errors import ErrorCode

LENGTH = struct.Struct(">I")
READY = b"ready"
# The same, from a machine that has no way to take the network and the files from it (see sandbox.py).
READY_UNCONFINED = b"ready, unconfined"

# No honest answer is longer: the largest ceiling that the settings allow is 10 MiB.
MAX_FRAME_BYTES = 32 * 1024 * 1024
MAX_PARTS = 2


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture, ready to be stored: WebP bytes of the picture and of its thumbnail.

    `width` and `height` are those of the picture, in pixels.
    """

    image: bytes
    thumb: bytes
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Job:
    """One file to read. `limit_bytes` is None for an avatar, whose ceiling is fixed."""

    source: Path
    limit_bytes: int | None

    def encode(self) -> bytes:
        # Absolute, because the worker stands in another directory.
        return json.dumps({"source": os.path.abspath(self.source), "limit": self.limit_bytes}).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Job:
        fields = json.loads(data)
        return cls(Path(fields["source"]), fields["limit"])


@dataclass(frozen=True, slots=True)
class Head:
    """The first frame of an answer: a refusal's code, or the size of what follows in `parts` frames."""

    code: ErrorCode | None = None
    parts: int = 0
    width: int = 0
    height: int = 0

    def encode(self) -> bytes:
        fields = {"code": self.code, "parts": self.parts, "width": self.width, "height": self.height}
        return json.dumps(fields).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Head:
        """Raises ValueError for anything that an honest worker would not say."""
        fields: Any = json.loads(data)
        if not isinstance(fields, dict):
            raise ValueError("an answer is an object")
        code = fields.get("code")
        numbers = [fields.get(name) for name in ("parts", "width", "height")]
        parts, width, height = (n if isinstance(n, int) and n >= 0 else -1 for n in numbers)
        if min(parts, width, height) < 0 or parts > MAX_PARTS:
            raise ValueError("an answer's numbers are whole and small")
        return cls(None if code is None else ErrorCode(code), parts, width, height)


def frame(data: bytes) -> bytes:
    return LENGTH.pack(len(data)) + data


def length(prefix: bytes) -> int:
    """The length that a frame's first 4 bytes announce. Raises ValueError past MAX_FRAME_BYTES."""
    (size,) = LENGTH.unpack(prefix)
    if size > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {size} bytes")
    return int(size)
