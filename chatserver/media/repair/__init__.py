"""Repairs damaged pictures that every browser shows: truncated files, and files with invalid unneeded chunks.

`repaired` returns bytes that Pillow's strict decoders read, and which part of the picture is missing. A picture is
refused if more than a quarter of its rows is missing: the upload was incomplete, and should be sent again.
"""

from __future__ import annotations

from chatserver.media.headers import Kind
from chatserver.media.repair.damage import Repaired

__all__ = ["Repaired", "repaired"]


def repaired(kind: Kind, data: bytes) -> Repaired:
    """Complete a file whose declared size was checked. Raises DomainError: `image_unreadable`."""
    # Import only the module that a file needs, so that a worker starts sooner.
    match kind:
        case Kind.JPEG:
            from chatserver.media.repair import jpeg

            return jpeg.repaired(data)
        case Kind.PNG:
            from chatserver.media.repair import png

            return png.repaired(data)
        case Kind.GIF:
            from chatserver.media.repair import gif

            return gif.repaired(data)
        case Kind.WEBP:
            from chatserver.media.repair import webp

            return webp.repaired(data)
    return Repaired(data)
