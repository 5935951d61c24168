"""Shared by the repairs of all formats: the repaired file, and the limit of what may be missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageFile

from chatserver.core.errors import DomainError, ErrorCode

# The largest share of rows that may be missing. A file that lost 5 % of its bytes can lack this share of its rows,
# because the lower edge of a photograph is often plain. A file that lost half of its bytes lacks more rows.
MISSING_MAX = 0.25


class Repaired:
    """A file that was complete. The subclasses of the formats handle truncated files."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def load(self, image: Image.Image) -> Image.Image:
        """Decode `image`, opened from `data`. Raises DomainError: `image_unreadable` if too much is missing."""
        image.load()
        return image

    def without_missing(self, image: Image.Image) -> Image.Image:
        """Make the missing rows of a decoded image with 8 bits a channel transparent."""
        return image


def check_missing(share: float) -> None:
    """Raises DomainError: `image_unreadable` if the missing `share` of rows is too large."""
    if share > MISSING_MAX:
        raise DomainError(ErrorCode.IMAGE_UNREADABLE)


def without_rows_from(image: Image.Image, row: int) -> Image.Image:
    """Make the rows from `row` on transparent, as browsers show rows that were not received."""
    if row >= image.height:
        return image
    image = image.convert("RGBA")
    image.paste((0, 0, 0, 0), (0, row, image.width, image.height))
    return image


def repeat_rows_from(image: Image.Image, row: int) -> Image.Image:
    """From `row` on, fill every second row with a copy of the row above it.

    These rows belong to the last interlacing pass, which is missing.
    """
    for each in range(row, image.height, 2):
        image.paste(image.crop((0, each - 1, image.width, each)), (0, each))
    return image


@contextmanager
def accepting_truncated() -> Iterator[None]:
    """Let Pillow's decoders accept a truncated file without an error; missing rows stay 0."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
