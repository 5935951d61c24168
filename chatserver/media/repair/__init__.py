"""Takes damaged pictures that every browser shows: cut short at the end, or with chunks that nothing needs.

`repaired` returns bytes that Pillow's strict decoders read, and how much of the picture they lack. A picture of
which more than a quarter of the rows is missing is refused: it was not sent whole, and should be sent again.
"""

from __future__ import annotations

from chatserver.media.headers import Kind
from chatserver.media.repair.damage import Repaired

__all__ = ["Repaired", "repaired"]


def repaired(kind: Kind, data: bytes) -> Repaired:
    """The file with what it lacks, for a size that was checked. Raises DomainError: `image_unreadable`."""
    # A worker starts sooner with the module of its first file alone.
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
