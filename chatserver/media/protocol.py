"""The protocol between the server and an image worker, over a pair of pipes.

A frame is a length (4 bytes, big-endian) followed by that many bytes. A job is one frame of JSON. An
answer is one frame of JSON (the header), followed by the number of picture frames that the header
gives. No pickle: a decoder bug could let an uploaded file control the worker, and a pickle from it
would run code in the server.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any, NamedTuple

from chatserver.core.errors import Code, ErrorCode
from chatserver.media.format_names import Unsupported

LENGTH = struct.Struct(">I")
READY = b"ready"
# A worker that runs without the seccomp filter sends this instead of READY (see sandbox.py).
READY_UNCONFINED = b"ready, unconfined"

# 32 MiB. The largest valid part has 10 MiB, the maximum of the setting image_max_kb.
MAX_FRAME_BYTES = 32 * 1024 * 1024
MAX_PARTS = 2


class Rendered(NamedTuple):
    """The WebP or AVIF bytes of a picture and of its thumbnail, before they are stored.

    `width` and `height` are those of the picture, in pixels.
    """

    image: bytes
    thumb: bytes
    width: int
    height: int


class Job(NamedTuple):
    """One file to decode. `limit_bytes` is the size limit of the result; None for an avatar, whose limit is fixed.

    The worker may use `cpu_seconds` of processor time for it. If `is_copy` is true, the file is a stored AVIF and the
    result is a WebP.
    """

    source: str | os.PathLike[str]
    limit_bytes: int | None
    cpu_seconds: int
    is_copy: bool = False

    def encode(self) -> bytes:
        # The path must be absolute, because the worker's working directory is "/".
        source = os.path.abspath(self.source)
        fields = {"source": source, "limit": self.limit_bytes, "cpu": self.cpu_seconds, "copy": self.is_copy}
        return json.dumps(fields).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> Job:
        fields = json.loads(data)
        return cls(fields["source"], fields["limit"], fields["cpu"], fields["copy"])


class AnswerHeader(NamedTuple):
    """The first frame of an answer: an error code, or the number of `parts` that follow and the picture's size in px.

    An error `image_unsupported` may name the `format`.
    """

    code: Code | None = None
    format: Unsupported | None = None
    parts: int = 0
    width: int = 0
    height: int = 0

    def encode(self) -> bytes:
        size = {"width": self.width, "height": self.height}
        fields = {"code": self.code, "format": self.format, "parts": self.parts, **size}
        return json.dumps(fields).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> AnswerHeader:
        """Raises ValueError for anything that `encode` cannot have written, because the worker is not trusted."""
        fields: Any = json.loads(data)
        if not isinstance(fields, dict):
            raise ValueError("an answer header is not a JSON object")
        code = fields.get("code")
        numbers = [fields.get(name) for name in ("parts", "width", "height")]
        parts, width, height = (n if isinstance(n, int) and n >= 0 else -1 for n in numbers)
        if min(parts, width, height) < 0 or parts > MAX_PARTS:
            raise ValueError("a number in an answer header is out of range")
        name = fields.get("format")
        code, name = None if code is None else ErrorCode(code), None if name is None else Unsupported(name)
        return cls(code, name, parts, width, height)


def frame(data: bytes) -> bytes:
    """`data` as one frame."""
    return LENGTH.pack(len(data)) + data


def length(prefix: bytes) -> int:
    """The payload length in bytes, from a frame's first 4 bytes. Raises ValueError above MAX_FRAME_BYTES."""
    (size,) = LENGTH.unpack(prefix)
    if size > MAX_FRAME_BYTES:
        raise ValueError(f"a frame of {size} bytes is longer than {MAX_FRAME_BYTES} bytes")
    return int(size)
